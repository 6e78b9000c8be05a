export { createMemoryBodyStore } from './memory-body-store.ts'
export { createMemoryBus, type MemoryBus, type MemoryBusOptions } from './memory-bus.ts'
export { type MemoryFault } from './memory-fault.ts'
