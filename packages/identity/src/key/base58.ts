const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const digits: ReadonlyMap<string, number> = new Map(Array.from(alphabet, (character, digit) => [character, digit]))

/** Writes bytes in base58 with the Bitcoin alphabet (draft-msporny-base58-03). Quadratic: for keys, not for documents. */
export function encodeBase58(bytes: Uint8Array): string {
  const reversed = convertBase(bytes, 256, 58)
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
  const reversed = convertBase(values, 58, 256)
  const bytes = new Uint8Array(countLeading(values, 0) + reversed.length)
  for (let index = 0; index < reversed.length; index++) bytes[bytes.length - 1 - index] = reversed[index] ?? 0
  return bytes
}

/** Converts big-endian digits of one base to little-endian digits of another; leading zeros are dropped. */
function convertBase(input: ArrayLike<number>, from: number, to: number): number[] {
  const output: number[] = []
  for (let index = 0; index < input.length; index++) {
    let carry = input[index] ?? 0
    for (let position = 0; position < output.length; position++) {
      carry += (output[position] ?? 0) * from
      output[position] = carry % to
      carry = Math.floor(carry / to)
    }
    for (; carry > 0; carry = Math.floor(carry / to)) output.push(carry % to)
  }
  return output
}

function countLeading(values: ArrayLike<number>, value: number): number {
  let count = 0
  while (count < values.length && values[count] === value) count++
  return count
}
