import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initFileIssuer } from '@parley/identity'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { openLedger } from './ledger.ts'

const folder = await mkdtemp(join(tmpdir(), 'parley-dies-'))
process.once('exit', () => rmSync(folder, { recursive: true })) // there are keys in it
await initFileIssuer({
  dir: join(folder, 'acme'),
  alias: 'acme',
  clock: createSystemClock(),
  random: createSystemRandom(),
})

for (const life of ['1', '2']) {
  const agency = fork(join(import.meta.dirname, 'agency.ts'), [folder, life])
  const ended = once(agency, 'exit')
  agency.on('message', (said: string) => {
    if (said !== 'the room is asked for') console.log(`life ${life}: ${said}`)
    else if (life === '1') agency.kill('SIGKILL')
  })
  await ended
  if (agency.exitCode !== 0) console.log(`life ${life}: ${agency.signalCode ?? `exit code ${agency.exitCode}`}`)
}
const left = (name: string, stock: number): number => openLedger(join(folder, name), stock).left()
console.log(`${left('seats.sqlite', 20)} seats, ${left('rooms.sqlite', 8)} rooms`)
