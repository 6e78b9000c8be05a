import { join } from 'node:path'
import { connect } from '@nats-io/transport-node'
import type { Contestant } from '../contestant.ts'
import { startResponder } from '../responder.ts'
import { bodyBytes } from './body.ts'

/** The subject that the responder answers on. */
export const natsSubject = 'bench.hop'

/** Connects the NATS client's own request and reply: nothing is signed, parsed or written down. */
export async function connectNatsContestant(url: string): Promise<Contestant> {
  const responder = await startResponder(join(import.meta.dirname, 'nats-responder.ts'), [url])
  const connection = await connect({ servers: url })
  const body = new Uint8Array(bodyBytes).fill(0x78)
  return {
    name: 'nats request',
    async work() {
      const reply = await connection.request(natsSubject, body, { timeout: 5_000 })
      if (reply.data.length !== bodyBytes) throw new Error(`a reply has ${String(reply.data.length)} bytes`)
    },
    async [Symbol.asyncDispose]() {
      await connection.close()
      await responder[Symbol.asyncDispose]()
    },
  }
}
