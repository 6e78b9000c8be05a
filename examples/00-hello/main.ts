import { createNode, defineContract, localIssuer } from '@parley/mesh'
import { z } from 'zod'

const flights = defineContract('flights', {
  reserve: { input: z.object({ to: z.string() }), output: z.object({ seat: z.string() }), risk: 'reversible' },
})
const acme = localIssuer('acme') // an owner, its keys and a bus that live and die with this process
const nats = process.env['NATS_URL'] // leaves the in-process bus for a real one

await using planes = await createNode({ name: 'acme/planes', issuer: acme, serves: [flights], nats })
await using desk = await createNode({ name: 'acme/desk', issuer: acme, calls: [flights.reserve], nats })
planes.serve(flights, { reserve: async ({ to }, hop) => ({ seat: `12A to ${to} for ${hop.caller.name}` }) })
await Promise.all([planes.start(), desk.start()])

const outcome = await desk.tryCall(flights.reserve, { to: 'SFO' })
console.log(outcome.kind, outcome.output, outcome.hop.explain())
