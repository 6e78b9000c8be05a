import { connect } from '@nats-io/transport-node'
import { runAgents, type ChainStep } from './run-agents.ts'
import { tools } from './tools-contract.ts'

const [, , url = '', , toolMs = '', agents = ''] = process.argv
const connections = await Promise.all(Array.from({ length: Number(agents) }, () => connect({ servers: url })))
await runAgents(async (agent, tool, input) => {
  const subject = `plain-${toolMs}.${tools[tool] ?? ''}`
  const reply = await connections[agent]?.request(subject, JSON.stringify(input), { timeout: 5_000 })
  if (!reply) throw new Error('there is no such agent')
  return reply.json<ChainStep>()
})
await Promise.all(connections.map((connection) => connection.close()))
