import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createMemoryBodyStore } from './memory-body-store.ts'

const body = Uint8Array.of(1, 2, 3)

describe('createMemoryBodyStore', () => {
  it('gives back a copy of what was put, under a name of its own', async () => {
    const clock = createManualClock()
    const store = createMemoryBodyStore({ clock })
    const mine = Uint8Array.from(body)
    const where = await store.put(mine, clock.now() + 1_000)
    expect(await store.put(body, clock.now() + 1_000)).not.toBe(where)
    mine.fill(0)
    const first = await store.get(where, 3)
    expect(first).toEqual(body)
    first?.fill(9)
    expect(await store.get(where, 3)).toEqual(body)
  })

  it('has nothing for another name, for fewer bytes, and after its time', async () => {
    const clock = createManualClock()
    const store = createMemoryBodyStore({ clock })
    const where = await store.put(body, clock.now() + 1_000)
    expect(await store.get('elsewhere', 3)).toBeUndefined()
    expect(await store.get(where, 2)).toBeUndefined()
    await clock.advance(1_000)
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
