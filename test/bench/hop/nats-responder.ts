import { connect } from '@nats-io/transport-node'
import { serveBench } from '../bench-process.ts'
import { natsSubject } from './nats-subject.ts'

const connection = await connect({ servers: process.argv[2] ?? '' })
connection.subscribe(natsSubject, {
  callback(_, message) {
    message.respond(message.data)
  },
})
await connection.flush()
await serveBench()
await connection.close()
