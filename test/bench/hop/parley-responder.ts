import { join } from 'node:path'
import { createNode } from '@parley/mesh'
import { serveBench } from '../bench-process.ts'
import { echo } from './echo-contract.ts'
import { openBenchIssuer } from './parley-mesh.ts'
import { parleyOptions, type ParleySetting } from './parley-setting.ts'

const [, , url = '', dir = '', setting = ''] = process.argv
await using node = await createNode({
  name: 'bench/callee',
  issuer: await openBenchIssuer(dir),
  serves: [echo],
  data: join(dir, `callee-${setting}.db`),
  ...parleyOptions(setting as ParleySetting, url),
})
node.serve(echo, { say: async ({ text }) => ({ text }) })
await node.start()
await serveBench()
