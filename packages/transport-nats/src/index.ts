export { connectNats, type NatsServerInfo, type NatsTransport } from './nats-transport.ts'
export { type NatsOptions } from './nats-options.ts'
