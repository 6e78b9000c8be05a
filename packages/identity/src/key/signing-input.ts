import { MeshError, signingDomains } from '@parley/protocol'
import { quote } from './quote.ts'

const encoder = new TextEncoder()
/** What stands before the bytes, by domain. A token needs nothing: its input starts with `eyJ` (RFC 7515 §5.1). */
const prefixes: ReadonlyMap<string, Uint8Array | undefined> = new Map(
  Object.values(signingDomains).map((domain) => [
    domain,
    domain === signingDomains.jwt ? undefined : encoder.encode(`${domain}\0`),
  ]),
)

/**
 * Builds what a key really signs: `domain ‖ 0x00 ‖ bytes`, or for the domain `jwt` the bytes alone (returned uncopied).
 * Both backends and both directions use this, so a signature for one purpose never fits another. Throws
 * `identity.domain-unknown` for a domain outside the closed list of `@parley/protocol`, and for `jwt` bytes that could be
 * another domain's.
 */
export function encodeSigningInput(domain: string, bytes: Uint8Array): Uint8Array {
  if (!prefixes.has(domain)) {
    throw new MeshError(
      'identity.domain-unknown',
      `${quote(domain)} is not a signing domain; use one of signingDomains`,
    )
  }
  const prefix = prefixes.get(domain)
  if (!prefix) {
    if (bytes[0] === 0x65 && bytes[1] === 0x79 && bytes[2] === 0x4a) return bytes
    throw new MeshError(
      'identity.domain-unknown',
      'the bytes are not the signing input of a token, which starts with eyJ',
    )
  }
  const input = new Uint8Array(prefix.length + bytes.length)
  input.set(prefix)
  input.set(bytes, prefix.length)
  return input
}
