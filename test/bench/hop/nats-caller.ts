import { connect } from '@nats-io/transport-node'
import { serveBench } from '../bench-process.ts'
import { bodyText } from './body.ts'
import { natsSubject } from './nats-subject.ts'

const connection = await connect({ servers: process.argv[2] ?? '' })
const body = Buffer.from(JSON.stringify({ text: bodyText }))
await serveBench({
  work: async () => {
    const reply = await connection.request(natsSubject, body, { timeout: 5_000 })
    if (!body.equals(reply.data)) throw new Error('a reply is not what was sent')
  },
})
await connection.close()
