/** Numbers that something has for a while, by handles, which are small. Looked up without hashing a name. */
export interface HandleNumbers {
  /** Returns the number of a handle; -1 if it was given none since `forget`. */
  find(handle: number): number
  /** Gives a handle a number below `limit`. */
  give(handle: number, number: number): void
  /** Takes all numbers back. */
  forget(): void
}

const firstSize = 1024

/** Creates numbers from 0 to below `limit`. Forgetting costs nothing: what was given before is below the base of today. */
export function createHandleNumbers(limit: number): HandleNumbers {
  let given = new Float64Array(firstSize)
  let base = limit
  return {
    find(handle) {
      const place = given[handle] ?? 0
      return place < base ? -1 : place - base
    },
    give(handle, number) {
      if (handle >= given.length) {
        const grown = new Float64Array(2 ** Math.ceil(Math.log2(handle + 1)))
        grown.set(given)
        given = grown
      }
      given[handle] = base + number
    },
    forget() {
      base += limit
    },
  }
}
