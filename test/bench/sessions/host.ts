import { once } from 'node:events'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openFileIssuer } from '@parley/identity'
import { createNode } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { echo } from '../hop/echo-contract.ts'

/** What the host answers to any message: where it listens, and its memory after everything dead is collected. */
export interface HostSight {
  readonly instance: string
  readonly rssBytes: number
  readonly heapBytes: number
}

const commitsBefore = 1_100

// One node whose memory is measured, in a process with nothing else in it.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: object) => void
const [, , url = '', dir = ''] = process.argv
const issuer = await openFileIssuer({
  dir: join(dir, 'issuer'),
  clock: createSystemClock(),
  random: createSystemRandom(),
})
const node = await createNode({ name: 'bench/host', issuer, serves: [echo], nats: url, data: join(dir, 'host.db') })
node.serve(echo, { say: ({ text }) => ({ text }) })
await node.start()
// What a store begins after its first hundreds of commits, whoever makes them, is no peer's: the thread of its checkpoints, 22 MB.
for (let commit = 0; commit < commitsBefore; commit++) await node.store.keyValue.put('bench/warm', Uint8Array.of(1))
process.on('message', () => {
  // The last resort also gives pages back that hold nothing any more, which a busy process does by and by.
  for (let time = 0; time < 2; time++) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  const { rss, heapUsed } = process.memoryUsage()
  const sight: HostSight = { instance: node.instance, rssBytes: rss, heapBytes: heapUsed }
  process.send?.(sight)
})
const released = once(process, 'disconnect')
process.send?.('ready')
await released
await node.close()
