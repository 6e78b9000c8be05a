import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPassingMap } from './create-passing-map.ts'

interface Named {
  readonly name: string
}

describe('createPassingMap', () => {
  it('holds what a Map holds, in its order, whatever comes and goes', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 20 }), isTaken: fc.boolean(), name: fc.string() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const map = createPassingMap<number, Named>()
        const model = new Map<number, Named>()
        for (const { key, isTaken, name } of steps) {
          const [told, known] = isTaken
            ? [map.delete(key), model.delete(key)]
            : [map.set(key, { name }), void model.set(key, { name })]
          expect(told).toBe(known)
          expect(map.get(key)).toEqual(model.get(key))
          expect(map.has(key)).toBe(model.has(key))
        }
        expect(map.size).toBe(model.size)
        expect([...map.keys()]).toEqual([...model.keys()])
        expect(map.values()).toEqual([...model.values()])
      }),
    )
  })

  it('lists values that may be taken away while they are gone through', () => {
    const map = createPassingMap<string, Named>()
    for (const name of ['a', 'b', 'c']) map.set(name, { name })
    const seen: string[] = []
    for (const { name } of map.values()) {
      map.delete(name)
      seen.push(name)
    }
    expect({ seen, size: map.size }).toEqual({ seen: ['a', 'b', 'c'], size: 0 })
  })

  it('lists values as they are, lists too', () => {
    const map = createPassingMap<string, readonly number[]>()
    map.set('a', [1, 2])
    map.set('b', [])
    expect(map.values()).toEqual([[1, 2], []])
  })
})
