import { once } from 'node:events'
import { createNode } from '@parley/mesh'
import { echo, momentMs, openSilentIssuer, type Seen } from './revocable-mesh.ts'

// The process of the callee. It says what it saw of each caller when it is asked, and ends with its parent.
const [, , url = '', issuerDir = ''] = process.argv
const seen: Record<string, Seen> = {}
const node = await createNode({
  name: 'acme/callee',
  issuer: await openSilentIssuer(issuerDir),
  nats: url,
  serves: [echo],
  onRecord({ kind, subject }) {
    if (kind !== 'order') return
    const name = String(subject)
    seen[name] = { deliveredAtMs: 0, deliveredAfter: 0, ...seen[name], heldAtMs: momentMs() }
  },
})
node.serve(echo, {
  back({ n }, { caller }) {
    const before = seen[caller.name]
    const deliveredAfter = before?.heldAtMs === undefined ? 0 : before.deliveredAfter + 1
    seen[caller.name] = { ...before, deliveredAtMs: momentMs(), deliveredAfter }
    return { n }
  },
})
await node.start()
process.on('message', () => process.send?.(seen))
const released = once(process, 'disconnect')
process.send?.('ready')
await released
await node.close()
