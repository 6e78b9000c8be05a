import { getPublicKeyAsync, signAsync } from '@noble/ed25519'
import { MeshError } from '@parley/protocol'
import { formatDidKey } from './did-key.ts'
import type { KeySigner } from './key-signer.ts'
import { seedBytes } from './seed.ts'
import { encodeSigningInput } from './signing-input.ts'

/**
 * Creates a signer that makes the same signatures as `createKeySigner` where there is no `node:crypto`. It keeps a copy
 * of the seed in memory. Rejects with `identity.key-file-invalid` for a seed of another length.
 */
export async function createPortableSigner(seed: Uint8Array): Promise<KeySigner> {
  if (seed.length !== seedBytes) {
    throw new MeshError('identity.key-file-invalid', `a seed has ${seedBytes} bytes, not ${seed.length}`)
  }
  const secret = seed.slice()
  return {
    did: formatDidKey(await getPublicKeyAsync(secret)),
    sign: async (domain, bytes) => signAsync(encodeSigningInput(domain, bytes), secret),
  }
}
