import { once } from 'node:events'
import { startSeededNode } from './seeded-node.ts'

// A second process that holds the key of another one. It says what it saw when it is asked, and ends with its parent.
const [, , url = '', issuerDir = '', seed = ''] = process.argv
const { node, asked, records } = await startSeededNode(url, issuerDir, new Uint8Array(Buffer.from(seed, 'hex')))
process.on('message', () => {
  const conflicts = records.filter(({ event }) => event === 'instance-conflict').length
  process.send?.({ instance: node.instance, reasons: node.health().reasons, conflicts, asked })
})
const released = once(process, 'disconnect')
process.send?.('ready')
await released
await node.close()
