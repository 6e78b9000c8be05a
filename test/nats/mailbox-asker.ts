import { generateInstanceKeys, type Anchor } from '@parley/identity'
import { createNode } from '@parley/mesh'
import { createSeededRandom, type IssuedCredential } from '@parley/ports'
import { site, type Asking } from './mailbox-site.ts'

// An instance that asks for long work, tells its parent what it has sent, and is killed before it hears of it.
const { url, seed, anchor, issued, command } = JSON.parse(process.argv[2] ?? '') as Asking & {
  readonly anchor: Anchor
  readonly issued: IssuedCredential
}
const node = await createNode({
  name: 'acme/desk',
  keys: generateInstanceKeys(createSeededRandom(seed)),
  issuer: { anchor, issue: () => Promise.resolve(issued) },
  calls: [site.build],
  nats: url,
})
await node.start()
const outcome = await node.tryCall(
  site.build,
  { house: 'elm 3' },
  {
    mailbox: true,
    saga: command,
    beforeSend: (request) => void process.send?.(request),
  },
)
// Only a test that fails comes to this.
process.send?.({ ended: outcome.kind })
