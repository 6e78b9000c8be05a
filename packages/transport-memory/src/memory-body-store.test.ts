import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createMemoryBodyStore } from './memory-body-store.ts'

const body = Uint8Array.of(1, 2, 3)

describe('createMemoryBodyStore', () => {
  it('has nothing after its time', async () => {
    const clock = createManualClock()
    const store = createMemoryBodyStore({ clock })
    const where = await store.put(body, clock.now() + 1_000)
    await clock.advance(999)
    expect(await store.get(where, 3)).toEqual(body)
    await clock.advance(1)
    expect(await store.get(where, 3)).toBeUndefined()
  })

  it('refuses what it has no room for, until something lapses', async () => {
    const clock = createManualClock()
    const store = createMemoryBodyStore({ clock }, { maxBytes: 5 })
    await store.put(body, clock.now() + 1_000)
    await expect(store.put(body, clock.now() + 1_000)).rejects.toMatchObject({ code: 'iatp.body-unavailable' })
    await clock.advance(1_000)
    expect(await store.put(body, clock.now() + 1_000)).toMatch(/^memory\//)
  })
})
