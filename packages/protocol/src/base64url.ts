const codeOf = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', (character) =>
  character.charCodeAt(0),
)

/**
 * Encodes bytes as base64url without padding (RFC 4648 §5). Meant for hashes and ids, of which every envelope has several: a
 * small array stays on the heap here, where a `Buffer` over it would move it off. At most some thousand bytes.
 */
export function encodeBase64url(bytes: Uint8Array): string {
  const codes: number[] = []
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at
    const triple = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    codes.push(codeOf[(triple >> 18) & 63] ?? 0, codeOf[(triple >> 12) & 63] ?? 0)
    if (left > 1) codes.push(codeOf[(triple >> 6) & 63] ?? 0)
    if (left > 2) codes.push(codeOf[triple & 63] ?? 0)
  }
  return String.fromCharCode(...codes)
}
