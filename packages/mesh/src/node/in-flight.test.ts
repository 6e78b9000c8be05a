import { describe, expect, it } from 'vitest'
import { createInFlight } from './in-flight.ts'

describe('createInFlight', () => {
  it('leaves a quarter of its places to others than one caller', () => {
    const places = createInFlight(4)
    const taken = [places.enter('one'), places.enter('one'), places.enter('one')]
    expect(taken.every((leave) => leave !== undefined)).toBe(true)
    expect(places.enter('one')).toBeUndefined()
    const other = places.enter('other')
    expect([other === undefined, places.enter('third'), places.count()]).toEqual([false, undefined, 4])
    taken[0]?.()
    taken[0]?.()
    expect(places.count()).toBe(3)
    expect(places.enter('one')).toBeDefined()
  })

  it('gives its only place to anybody, and tells when nobody is left', async () => {
    const places = createInFlight(1)
    const leave = places.enter('one')
    expect([places.enter('other'), places.count()]).toEqual([undefined, 1])
    const idle = places.idle()
    leave?.()
    await idle
    expect(places.enter('one')).toBeDefined()
  })
})
