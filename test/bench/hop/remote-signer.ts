import { createKeySigner, generateSeed, type KeySigner } from '@parley/identity'
import { createSystemRandom } from '@parley/ports'

/** How long the signer of another machine takes for one signature. */
const remoteMs = 10

/** Creates a signer that answers as late as an HSM or a KMS over a network does. */
export function createRemoteSigner(): KeySigner {
  const signer = createKeySigner(generateSeed(createSystemRandom()))
  return {
    did: signer.did,
    sign: async (domain, bytes) => {
      await new Promise((resolve) => setTimeout(resolve, remoteMs))
      return signer.sign(domain, bytes)
    },
  }
}
