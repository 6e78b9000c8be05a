import { ServiceBroker, type Context } from 'moleculer'
import { serveBench } from '../bench-process.ts'

const broker = new ServiceBroker({
  nodeID: 'callee',
  transporter: { type: 'NATS', options: { url: process.argv[2] ?? '' } },
  logger: false,
})
broker.createService({
  name: 'echo',
  actions: { say: ({ params }: Context<{ readonly text: string }>) => ({ text: params.text }) },
})
await broker.start()
await serveBench()
await broker.stop()
