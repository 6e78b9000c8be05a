import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNode, type MeshNode } from '@parley/mesh'
import { serveBench } from '../bench-process.ts'
import { openBenchIssuer } from '../hop/parley-mesh.ts'
import { cascadePolicy, heartbeatOf } from './governed-options.ts'
import type { ChainStep } from './run-agents.ts'
import { toolContracts, tools } from './tools-contract.ts'

const [, , url = '', dir = '', toolMs = '0', agents = ''] = process.argv
const issuer = await openBenchIssuer(dir)
const nodes: MeshNode[] = []
for (const [at, contract] of toolContracts.entries()) {
  const node = await createNode({
    name: `bench/tool-${tools[at] ?? ''}`,
    issuer,
    serves: [contract],
    nats: url,
    mesh: `cascade-${toolMs}`,
    policy: [cascadePolicy],
    heartbeatMs: heartbeatOf(Number(agents)),
    data: join(dir, `tool-${String(at)}-${toolMs}.db`),
  })
  node.serve(contract, {
    use: async (input: unknown) => {
      const { text, depth } = input as ChainStep
      if (Number(toolMs) > 0) await sleep(Number(toolMs))
      return { text, depth: depth + 1 }
    },
  })
  await node.start()
  nodes.push(node)
}
await serveBench()
await Promise.all(nodes.map((node) => node.close()))
