const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const digits: ReadonlyMap<string, number> = new Map(Array.from(alphabet, (character, digit) => [character, digit]))

/** Writes bytes in base58 with the Bitcoin alphabet (draft-msporny-base58-03). Quadratic: for keys, not for documents. */
export function encodeBase58(bytes: Uint8Array): string {
  const reversed = convertBase(bytes, base256, base58)
  const zeros = countLeading(bytes, 0)
  let text = '1'.repeat(zeros)
  for (let index = reversed.length - 1; index >= 0; index--) text += alphabet.charAt(reversed[index] ?? 0)
  return text
}

/** Reads base58 with the Bitcoin alphabet; `undefined` when a character is outside it. The caller bounds the length. */
export function decodeBase58(text: string): Uint8Array | undefined {
  const values: number[] = []
  for (const character of text) {
    const digit = digits.get(character)
    if (digit === undefined) return undefined
    values.push(digit)
  }
  const reversed = convertBase(values, base58, base256)
  const bytes = new Uint8Array(countLeading(values, 0) + reversed.length)
  for (let index = 0; index < reversed.length; index++) bytes[bytes.length - 1 - index] = reversed[index] ?? 0
  return bytes
}

/**
 * Converts big-endian digits of one base to little-endian digits of another; leading zeros are dropped. It calculates with
 * groups of digits, as large as a double holds exactly: every stranger's key comes through here.
 */
function convertBase(input: ArrayLike<number>, from: Base, to: Base): number[] {
  const groups: number[] = []
  const groupBase = to.base ** to.perGroup
  for (let at = 0, end = input.length % from.perGroup || from.perGroup; at < input.length; end += from.perGroup) {
    const scale = from.base ** (end - at)
    let carry = 0
    for (; at < end; at++) carry = carry * from.base + (input[at] ?? 0)
    for (let position = 0; position < groups.length; position++) {
      carry += (groups[position] ?? 0) * scale
      groups[position] = carry % groupBase
      carry = Math.floor(carry / groupBase)
    }
    for (; carry > 0; carry = Math.floor(carry / groupBase)) groups.push(carry % groupBase)
  }
  const output: number[] = []
  for (const group of groups) {
    let rest = group
    for (let digit = 0; digit < to.perGroup; digit++) {
      output.push(rest % to.base)
      rest = Math.floor(rest / to.base)
    }
  }
  while (output.at(-1) === 0) output.pop()
  return output
}

/** A base, and how many of its digits are calculated with at once: the product of two groups stays below 2^53. */
interface Base {
  readonly base: number
  readonly perGroup: number
}

const base58: Base = { base: 58, perGroup: 4 }
const base256: Base = { base: 256, perGroup: 3 }

function countLeading(values: ArrayLike<number>, value: number): number {
  let count = 0
  while (count < values.length && values[count] === value) count++
  return count
}
