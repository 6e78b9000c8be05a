const codeOf = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', (character) =>
  character.charCodeAt(0),
)

/**
 * Encodes bytes as base64url without padding (RFC 4648 §5). Meant for hashes and ids, of which every envelope has several: a
 * small array stays on the heap here, where a `Buffer` over it would move it off. At most some thousand bytes.
 */
export function encodeBase64url(bytes: Uint8Array): string {
  const codes = codesOf(Math.ceil((bytes.length * 4) / 3))
  for (let at = 0, to = 0; at < bytes.length; at += 3, to += 4) {
    const left = bytes.length - at
    const triple = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    codes[to] = codeOf[(triple >> 18) & 63] ?? 0
    codes[to + 1] = codeOf[(triple >> 12) & 63] ?? 0
    if (left > 1) codes[to + 2] = codeOf[(triple >> 6) & 63] ?? 0
    if (left > 2) codes[to + 3] = codeOf[triple & 63] ?? 0
  }
  return String.fromCharCode.apply(undefined, codes)
}

/** Lists that are filled anew each time, by their length. */
const lists: number[][] = []
const maxKeptLength = 64

function codesOf(length: number): number[] {
  if (length > maxKeptLength) return Array.from({ length }, () => 0)
  return (lists[length] ??= Array.from({ length }, () => 0))
}
