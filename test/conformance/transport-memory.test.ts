import { transportConformance } from '@parley/conformance'
import { createMemoryBus } from '@parley/transport-memory'
import { describe, expect, it } from 'vitest'

transportConformance({ describe, it, expect }, 'transport-memory', async () => {
  const bus = createMemoryBus()
  const [left, right] = [bus.connect(), bus.connect()]
  const open = (): readonly (typeof left)[] => [left, right].filter((transport) => transport.status() !== 'closed')
  return {
    left,
    right,
    bounces: true,
    async disconnect() {
      for (const transport of open()) bus.disconnect(transport)
    },
    async reconnect() {
      for (const transport of open()) bus.reconnect(transport)
    },
    async dispose() {
      await Promise.all([left.close(), right.close()])
    },
  }
})
