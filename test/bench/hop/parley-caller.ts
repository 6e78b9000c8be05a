import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createNode } from '@parley/mesh'
import { serveBench } from '../bench-process.ts'
import { assertSameText, bodyText } from './body.ts'
import { echo } from './echo-contract.ts'
import { openBenchIssuer } from './parley-mesh.ts'
import { parleyOptions, type ParleySetting } from './parley-setting.ts'

const [, , url = '', dir = '', setting = ''] = process.argv
const delegation = JSON.parse(await readFile(join(dir, 'chain.json'), 'utf8')) as readonly string[]
await using node = await createNode({
  name: 'bench/caller',
  issuer: await openBenchIssuer(dir),
  calls: [echo.say],
  data: join(dir, `caller-${setting}.db`),
  ...parleyOptions(setting as ParleySetting, url),
})
await node.start()
const options = { to: 'bench/callee', delegation } as const
await serveBench({
  work: async () => {
    const { text } = await node.call(echo.say, { text: bodyText }, options)
    assertSameText(text)
  },
})
