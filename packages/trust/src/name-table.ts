/** Numbers for names that come again and again. */
export interface NameTable {
  /** Returns the number of a name, a new one if there is room; otherwise -1. */
  intern(name: string): number
  /** Returns the number of a name; -1 if it has none. */
  find(name: string): number
  nameOf(number: number): string
}

/** Creates a table of at most `max` names. */
export function createNameTable(max: number): NameTable {
  const numbers = new Map<string, number>()
  const names: string[] = []
  // Mostly the same one comes again.
  let last = ''
  let lastNumber = -1
  return {
    intern(name) {
      if (lastNumber >= 0 && name === last) return lastNumber
      const known = numbers.get(name)
      if (known !== undefined) {
        last = name
        lastNumber = known
        return known
      }
      if (names.length >= max) return -1
      numbers.set(name, names.length)
      return names.push(name) - 1
    },
    find: (name) => numbers.get(name) ?? -1,
    nameOf: (number) => names[number] ?? '',
  }
}
