import type { PassingMap } from './passing-map.ts'

/** Creates an empty map. */
export function createPassingMap<Key, Value extends object>(): PassingMap<Key, Value> {
  const boxes = new Map<Key, { value: Value | undefined }>()
  return {
    get size() {
      return boxes.size
    },
    has: (key) => boxes.has(key),
    get: (key) => boxes.get(key)?.value,
    set(key, value) {
      const box = boxes.get(key)
      if (box) box.value = value
      else boxes.set(key, { value })
    },
    delete(key) {
      const box = boxes.get(key)
      if (!box) return false
      box.value = undefined
      return boxes.delete(key)
    },
    keys: () => boxes.keys(),
    values: () => Array.from(boxes.values(), ({ value }) => value).filter((value) => value !== undefined),
  }
}
