import { systemHash } from '@parley/ports'

/**
 * Computes the name of a chain: base64url of SHA-256 over its links, root first, each as u32 big-endian byte length and
 * UTF-8 bytes, so that no two chains run together into the same hash input.
 */
export function hashChain(links: readonly string[]): string {
  const parts: Uint8Array[] = []
  for (const link of links) {
    const bytes = Buffer.from(link, 'utf8')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    parts.push(length, bytes)
  }
  return Buffer.from(systemHash(...parts)).toString('base64url')
}
