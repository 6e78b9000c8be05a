import { connect } from '@nats-io/transport-node'
import { serveUntilReleased } from '../responder.ts'
import { bodyBytes } from './body.ts'
import { natsSubject } from './nats-contestant.ts'

const connection = await connect({ servers: process.argv[2] ?? '' })
const body = new Uint8Array(bodyBytes).fill(0x79)
connection.subscribe(natsSubject, {
  callback(_, message) {
    message.respond(body)
  },
})
await connection.flush()
await serveUntilReleased()
await connection.close()
