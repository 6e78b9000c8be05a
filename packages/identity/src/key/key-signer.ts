import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { Signer } from '@parley/ports'
import { type InstanceDid, MeshError } from '@parley/protocol'
import { formatDidKey } from './did-key.ts'
import { seedBytes } from './seed.ts'
import { encodeSigningInput } from './signing-input.ts'

/** A signer whose DID is known to be the canonical did:key of its key. */
export interface KeySigner extends Signer {
  readonly did: InstanceDid
}

/** DER of a PKCS#8 private key for Ed25519 up to the seed itself (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * Creates a signer over a 32-byte seed with `node:crypto`. The seed is not kept, and nothing that is returned shows the
 * key. Throws `identity.key-file-invalid` for a seed of another length.
 */
export function createKeySigner(seed: Uint8Array): KeySigner {
  if (seed.length !== seedBytes) {
    throw new MeshError('identity.key-file-invalid', `a seed has ${seedBytes} bytes, not ${seed.length}`)
  }
  const der = Buffer.concat([pkcs8Prefix, seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    did: formatDidKey(new Uint8Array(spki.subarray(-32))),
    sign: async (domain, bytes) => new Uint8Array(sign(null, encodeSigningInput(domain, bytes), privateKey)),
  }
}
