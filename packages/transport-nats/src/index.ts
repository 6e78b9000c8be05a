export { formatOperatorConfig, formatStaticConfig, type OperatorFacts, type StaticUser } from './nats-config.ts'
export { type NatsEndpoint, type NatsService } from './nats-service.ts'
export { connectNats, dialNats, type NatsServerInfo, type NatsTransport } from './nats-transport.ts'
export { type NatsOptions } from './nats-options.ts'
