export { openStoreInbox, type StoreInbox, type StoreTransaction } from './store-inbox.ts'
