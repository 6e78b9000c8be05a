import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initFileIssuer } from '@parley/identity'
import { createNode } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { createMemoryBus } from '@parley/transport-memory'
import { flights } from './flights.ts'
import { openOwner, readAnchor } from './owner.ts'
import { openPlanes } from './planes.ts'

const folder = await mkdtemp(join(tmpdir(), 'parley-two-'))
process.once('exit', () => rmSync(folder, { recursive: true })) // there are keys in it
for (const alias of ['acme', 'globex'])
  await initFileIssuer({ dir: join(folder, alias), alias, clock: createSystemClock(), random: createSystemRandom() })

const nats = process.env['NATS_URL']
const bus = createMemoryBus()
const stopPlanes = nats === undefined ? await servePlanesHere() : await servePlanesElsewhere(nats)

const issuer = await openOwner(folder, 'acme')
const anchors = [issuer.anchor, await readAnchor(folder, 'globex')]
const place = nats === undefined ? { transport: bus.connect() } : { nats }
const desk = await createNode({ name: 'acme/desk', issuer, anchors, calls: [flights.reserve], ...place })
await desk.start()

for (const to of ['SFO', 'LAX']) {
  const outcome = await desk.tryCall(flights.reserve, { to }, { to: 'globex/planes' })
  console.log(outcome.kind, outcome.kind === 'declined' ? outcome.error : outcome.output, outcome.hop.explain())
}
const unasked = await desk.tryCall(flights.reserve, { to: 'SFO' }, { to: 'initech/planes' })
console.log(unasked.kind, unasked.kind === 'refused' && unasked.code, unasked.hop.explain())

await desk.close()
await stopPlanes()

async function servePlanesHere(): Promise<() => Promise<void>> {
  const planes = await openPlanes(folder, { transport: bus.connect() })
  return () => planes.close()
}

async function servePlanesElsewhere(url: string): Promise<() => Promise<void>> {
  const child = fork(join(import.meta.dirname, 'planes-process.ts'), [folder, url])
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`globex/planes ended with exit code ${String(code)}; it says above why`)
  })
  await Promise.race([once(child, 'message'), died])
  return async () => {
    const ended = once(child, 'exit')
    child.disconnect()
    await ended
  }
}
