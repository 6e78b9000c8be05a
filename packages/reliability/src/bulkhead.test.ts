import { describe, expect, it } from 'vitest'
import { createBulkheads, type BulkheadPlace, type Bulkheads } from './bulkhead.ts'

const options = { perPeer: 3, perCapability: 2, maxQueue: 1 }

function enter(bulkheads: Bulkheads, capability: string, peer = 'did acme/planes'): BulkheadPlace {
  const place = bulkheads.enter({ peer, capability })
  if (place.kind === 'deny') throw new Error(place.reason)
  return place
}

/** Tells which places may start by now. */
async function startedOf(places: readonly BulkheadPlace[]): Promise<boolean[]> {
  const started = places.map(() => false)
  for (const [index, place] of places.entries()) {
    if (!place.ready) started[index] = true
    void place.ready?.then(() => {
      started[index] = true
    })
  }
  await new Promise<void>((resolve) => {
    setImmediate(resolve)
  })
  return started
}

describe('createBulkheads', () => {
  it('starts as many calls as there are places, lets some wait, and refuses the rest', async () => {
    const bulkheads = createBulkheads(options)
    const places = [enter(bulkheads, 'a:x'), enter(bulkheads, 'a:x'), enter(bulkheads, 'a:x')]
    expect(await startedOf(places)).toEqual([true, true, false])
    expect(bulkheads.enter({ peer: 'did acme/planes', capability: 'a:x' })).toMatchObject({
      kind: 'deny',
      code: 'bulkhead.full',
      retryAfterMs: 100,
    })
    places[0]?.leave()
    expect(await startedOf(places)).toEqual([true, true, true])
  })

  it('bounds a peer over all its capabilities', async () => {
    const bulkheads = createBulkheads(options)
    const places = ['a:x', 'a:y', 'a:z', 'a:w'].map((capability) => enter(bulkheads, capability))
    expect(await startedOf(places)).toEqual([true, true, true, false])
    expect(bulkheads.enter({ peer: 'did acme/planes', capability: 'a:v' }).kind).toBe('deny')
  })

  it('does not let a full capability take places of others', async () => {
    const bulkheads = createBulkheads(options)
    const places = [enter(bulkheads, 'a:x'), enter(bulkheads, 'a:x'), enter(bulkheads, 'a:x'), enter(bulkheads, 'a:y')]
    expect(await startedOf(places)).toEqual([true, true, false, true])
  })

  it('does not let a full peer stop another', async () => {
    const bulkheads = createBulkheads(options)
    for (let count = 0; count < 3; count++) enter(bulkheads, 'a:x')
    expect(await startedOf([enter(bulkheads, 'a:x', 'did acme/hotels')])).toEqual([true])
  })

  it('gives the place of a call that left while it waited to the next one', async () => {
    const bulkheads = createBulkheads({ ...options, maxQueue: 2 })
    const places = Array.from({ length: 4 }, () => enter(bulkheads, 'a:x'))
    places[2]?.leave()
    places[0]?.leave()
    expect((await startedOf(places)).at(3)).toBe(true)
  })

  it('keeps nothing when all have left, also when they leave twice', async () => {
    const bulkheads = createBulkheads({ ...options, maxQueue: 100 })
    const places = Array.from({ length: 60 }, (_, index) => enter(bulkheads, `a:${index % 4}`))
    expect(bulkheads.snapshot()).toEqual([{ peer: 'did acme/planes', calls: 60 }])
    for (const place of [...places, ...places]) place.leave()
    for (let turn = 0; turn < 60; turn++) await startedOf([])
    expect(bulkheads.snapshot()).toEqual([])
  })
})
