import { ServiceBroker } from 'moleculer'
import { serveBench } from '../bench-process.ts'
import { assertSameText, bodyText } from './body.ts'

const broker = new ServiceBroker({
  nodeID: 'caller',
  transporter: { type: 'NATS', options: { url: process.argv[2] ?? '' } },
  logger: false,
})
await broker.start()
await broker.waitForServices('echo')
await serveBench({
  work: async () => {
    const { text } = await broker.call<{ readonly text: string }, { readonly text: string }>('echo.say', {
      text: bodyText,
    })
    assertSameText(text)
  },
})
await broker.stop()
