import type { NodeOptions } from '@parley/mesh'
import { benchPolicy } from './policy-document.ts'
import { createRemoteKeys } from './remote-keys.ts'

/** How the hop is measured: with everything on, and then with one thing changed. */
export type ParleySetting = 'everything' | 'one-a-signature' | 'sealed-bodies' | 'remote-signer'

/** Builds the options that both nodes of a setting share. Each setting is a mesh of its own on the same server. */
export function parleyOptions(
  setting: ParleySetting,
  nats: string,
): Pick<NodeOptions, 'nats' | 'mesh' | 'policy' | 'keys' | 'maxBundleEnvelopes' | 'sealBodies' | 'bulkheads'> {
  return {
    nats,
    mesh: setting,
    policy: [benchPolicy],
    bulkheads: { perPeer: 512, perCapability: 512 },
    ...(setting === 'one-a-signature' ? { maxBundleEnvelopes: 1 } : {}),
    ...(setting === 'sealed-bodies' ? { sealBodies: true } : {}),
    ...(setting === 'remote-signer' ? { keys: createRemoteKeys() } : {}),
  }
}
