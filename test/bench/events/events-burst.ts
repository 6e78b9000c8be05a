import { signatureChecks } from '../../signature-checks.ts'
import { createNode, defineContract, localIssuer } from '@parley/mesh'
import { z } from 'zod'

const burst = Number(process.argv[2])

const prices = defineContract(
  'prices',
  { quote: { input: z.object({}), output: z.object({ cents: z.number() }), risk: 'read' } },
  { events: { changed: { payload: z.object({ cents: z.number() }) } } },
)

const issuer = localIssuer('bench')
let frames = 0
issuer.bus.tap(() => (frames += 1))
const done = Promise.withResolvers<undefined>()
let heard = 0
await using speaker = await createNode({ name: 'bench/exchange', issuer, serves: [prices] })
speaker.serve(prices, { quote: () => ({ cents: 1 }) })
await using listener = await createNode({
  name: 'bench/desk',
  issuer,
  listens: [prices.events.changed],
})
listener.on(prices.events.changed, () => {
  heard += 1
  if (heard === burst) done.resolve(undefined)
})
await Promise.all([speaker.start(), listener.start()])
const before = { frames, checks: signatureChecks.count, cpu: process.cpuUsage(), at: performance.now() }
await Promise.all(Array.from({ length: burst }, (_, cents) => speaker.emit(prices.events.changed, { cents })))
await done.promise
const ms = performance.now() - before.at
const { user, system } = process.cpuUsage(before.cpu)
const checks = signatureChecks.count - before.checks
const row = {
  ms: Math.round(ms),
  eventsPerSecond: Math.round((burst * 1_000) / ms),
  cpuMicrosecondsPerEvent: Math.round((user + system) / burst),
  frames: frames - before.frames,
  ed25519Checks: checks,
}
process.stdout.write(JSON.stringify(row))
