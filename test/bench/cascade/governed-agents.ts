import { createNode, type MeshNode } from '@parley/mesh'
import { openBenchIssuer } from '../hop/parley-mesh.ts'
import { cascadePolicy, heartbeatOf } from './governed-options.ts'
import { runAgents, type ChainStep } from './run-agents.ts'
import { toolContracts, tools } from './tools-contract.ts'

const [, , url = '', dir = '', toolMs = '', agents = ''] = process.argv
const issuer = await openBenchIssuer(dir)
const uses = toolContracts.map((contract) => contract.use)
const nodes: MeshNode[] = []
for (let agent = 0; agent < Number(agents); agent++) {
  const node = await createNode({
    name: `bench/agent-${String(agent)}`,
    issuer,
    calls: uses,
    nats: url,
    mesh: `cascade-${toolMs}`,
    policy: [cascadePolicy],
    heartbeatMs: heartbeatOf(Number(agents)),
  })
  await node.start()
  nodes.push(node)
}
await runAgents(async (agent, tool, input) => {
  const [node, use] = [nodes[agent], uses[tool]]
  if (!node || !use) throw new Error('there is no such agent or tool')
  return (await node.call(use, input, { to: `bench/tool-${tools[tool] ?? ''}` })) as ChainStep
})
await Promise.all(nodes.map((node) => node.close()))
