export { findNatsServer, locateNatsServer, type FindNatsServerOptions } from './find-nats-server.ts'
export { type BinarySource, type NatsServerBinary } from './nats-server-binary.ts'
export { startNatsServer, type RunningNatsServer, type StartNatsServerOptions } from './start-nats-server.ts'
export { compareVersions, describeLosses, supportsSyncAlways } from './version.ts'
