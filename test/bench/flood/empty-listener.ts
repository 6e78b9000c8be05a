import { connect } from '@nats-io/transport-node'
import { serveBench } from '../bench-process.ts'

const [, , url = '', prefix = ''] = process.argv
const connection = await connect({ servers: url })
let frames = 0
connection.subscribe(`${prefix}.*`, {
  callback() {
    frames++
  },
})
await connection.flush()
await serveBench({ facts: () => ({ frames }) })
await connection.close()
