export { inboxConformance, type InboxFixture } from './inbox-conformance.ts'
export { storeConformance, type StoreFixture } from './store-conformance.ts'
export { type Expectation, type TestKit } from './test-kit.ts'
export { transportConformance, type TransportPair } from './transport-conformance.ts'
