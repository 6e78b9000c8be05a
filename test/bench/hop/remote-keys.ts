import { generateInstanceKeys, type InstanceKeys } from '@parley/identity'
import { createSystemRandom } from '@parley/ports'

/** How long the signer of another machine takes for one signature. */
const remoteMs = 10

/** Creates the keys of an instance whose signer answers as late as an HSM or a KMS over a network does. */
export function createRemoteKeys(): InstanceKeys {
  const { signer, nkey } = generateInstanceKeys(createSystemRandom())
  return {
    signer: {
      did: signer.did,
      sign: async (domain, bytes) => {
        await new Promise((resolve) => setTimeout(resolve, remoteMs))
        return signer.sign(domain, bytes)
      },
    },
    nkey,
  }
}
