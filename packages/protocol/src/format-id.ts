import { encodeBase64url } from './base64url.ts'

/**
 * Writes 16 random bytes as an id, 22 characters of base64url, that never begins with `-`: a command line would take it for an
 * option.
 */
export function formatId(bytes: Uint8Array): string {
  const [first = 0] = bytes
  // The first six bits are 62, which is written `-`: another bit makes 30 of them, and takes nothing from the chance of the rest.
  return encodeBase64url(first >> 2 === 62 ? Uint8Array.of(first ^ 0x80, ...bytes.subarray(1)) : bytes)
}
