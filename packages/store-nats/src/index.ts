export { readBrokerSync, type BrokerSync } from './broker-sync.ts'
export { openNatsStore, type NatsStoreOptions } from './open-nats-store.ts'
export { type NatsStore, type NatsStoreFacts } from './nats-store.ts'
export { type Provision } from './provision-stream.ts'
export {
  formatStoreAccount,
  listStorePermissions,
  storeInboxPrefix,
  type StorePlace,
  type StoreUser,
} from './store-permissions.ts'
