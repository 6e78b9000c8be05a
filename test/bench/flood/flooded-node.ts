import { signatureChecks } from '../../signature-checks.ts'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assembleNode, outboundStages } from '@parley/mesh/stages'
import { serveBench } from '../bench-process.ts'
import { echo } from '../hop/echo-contract.ts'
import { openBenchIssuer } from '../hop/parley-mesh.ts'
import { parleyOptions } from '../hop/parley-setting.ts'
import { createCheckTimes } from './check-times.ts'

const [, , url = '', dir = '', didFile = ''] = process.argv
let frames = 0
const checks = createCheckTimes()
await using node = await assembleNode(
  {
    name: 'bench/callee',
    issuer: await openBenchIssuer(dir),
    serves: [echo],
    data: join(dir, 'flooded.db'),
    onRecord: (record) => {
      if (record.kind === 'rejected') frames += Number(record['frames'])
    },
    ...parleyOptions('everything', url),
  },
  {
    outbound: outboundStages,
    // Behind the bucket a frame is hashed and its signature checked: that is bounded by time, not by frames.
    inbound: (standard) => ({
      ...standard,
      frame: standard.frame.map((stage) =>
        stage.name === 'proof' ? { ...stage, run: (context) => checks.time(() => stage.run(context)) } : stage,
      ),
    }),
  },
)
node.serve(echo, { say: async ({ text }) => ({ text }) })
await node.start()
await writeFile(didFile, node.instance)
await serveBench({ facts: () => ({ frames, verifications: signatureChecks.count, checkMs: checks.totalMs() }) })
