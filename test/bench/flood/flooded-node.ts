import { signatureChecks } from '../../signature-checks.ts'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createNode } from '@parley/mesh'
import { serveBench } from '../bench-process.ts'
import { echo } from '../hop/echo-contract.ts'
import { openBenchIssuer } from '../hop/parley-mesh.ts'
import { parleyOptions } from '../hop/parley-setting.ts'

const [, , url = '', dir = '', didFile = ''] = process.argv
let frames = 0
await using node = await createNode({
  name: 'bench/callee',
  issuer: await openBenchIssuer(dir),
  serves: [echo],
  data: join(dir, 'flooded.db'),
  onRecord: (record) => {
    if (record.kind === 'rejected') frames += Number(record['frames'])
  },
  ...parleyOptions('everything', url),
})
node.serve(echo, { say: async ({ text }) => ({ text }) })
await node.start()
await writeFile(didFile, node.instance)
await serveBench({ facts: () => ({ frames, verifications: signatureChecks.count, verifyMs: signatureChecks.ms }) })
