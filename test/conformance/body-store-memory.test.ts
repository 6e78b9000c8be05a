import { bodyStoreConformance } from '@parley/conformance'
import { createManualClock } from '@parley/ports'
import { createMemoryBodyStore } from '@parley/transport-memory'
import { describe, expect, it } from 'vitest'

bodyStoreConformance({ describe, it, expect }, 'transport-memory', async () => {
  const clock = createManualClock()
  return { bodies: createMemoryBodyStore({ clock }), now: () => clock.now(), dispose: () => Promise.resolve() }
})
