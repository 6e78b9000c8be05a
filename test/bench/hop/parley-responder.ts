import { join } from 'node:path'
import { openFileIssuer } from '@parley/identity'
import { createNode } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { serveUntilReleased } from '../responder.ts'
import { bodyText } from './body.ts'
import { echo } from './echo-contract.ts'

const [, , url = '', dir = ''] = process.argv
const issuer = await openFileIssuer({
  dir: join(dir, 'issuer'),
  clock: createSystemClock(),
  random: createSystemRandom(),
})
await using node = await createNode({
  name: 'bench/callee',
  issuer,
  serves: [echo],
  nats: url,
  data: join(dir, 'callee.db'),
})
node.serve(echo, { say: () => ({ text: bodyText }) })
await node.start()
await serveUntilReleased()
