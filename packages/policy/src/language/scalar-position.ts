/**
 * Translates an offset in the value of a YAML scalar into one of the text that the scalar was written in, between `start`
 * and `end`. Quotes, folding and block indentation only add characters, so the value's characters are found in order; for
 * an escape such as `\x41`, which hides one, the position may be off within the scalar.
 */
export function locateInScalar(source: string, start: number, end: number, value: string, offset: number): number {
  let next = start
  const header = source[start]
  if (header === '|' || header === '>') next = source.indexOf('\n', start) + 1
  if (header === '"' || header === "'") next++
  let found = next
  for (let index = 0; index <= offset && index < value.length; index++) {
    const character = value.charAt(index)
    if (character.trim() === '') continue
    const at = source.indexOf(character, next)
    if (at === -1 || at >= end) return start
    found = at
    next = at + 1
  }
  return offset >= value.length ? next : found
}
