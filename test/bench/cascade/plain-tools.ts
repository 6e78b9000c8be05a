import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '@nats-io/transport-node'
import { serveBench } from '../bench-process.ts'
import type { ChainStep } from './run-agents.ts'
import { tools } from './tools-contract.ts'

const [, , url = '', , toolMs = '0'] = process.argv
const connections = await Promise.all(tools.map(() => connect({ servers: url })))
for (const [at, connection] of connections.entries()) {
  connection.subscribe(`plain-${toolMs}.${tools[at] ?? ''}`, {
    callback: (_, message) => {
      const answer = (): void => {
        const { text, depth } = message.json<ChainStep>()
        message.respond(JSON.stringify({ text, depth: depth + 1 }))
      }
      if (Number(toolMs) > 0) void sleep(Number(toolMs)).then(answer)
      else answer()
    },
  })
  await connection.flush()
}
await serveBench()
await Promise.all(connections.map((connection) => connection.close()))
