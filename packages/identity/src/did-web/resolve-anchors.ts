import { MeshError } from '@parley/protocol'
import type { Resolvable } from 'did-resolver'
import type { Anchor, Anchors } from '../credential/anchor.ts'
import { hashOwnerKeySet, type OwnerKeySet, readOwnerKeySet } from './owner-key-set.ts'

/**
 * Fetches the keys of the owners that are a did:web and holds them against the pins of their anchors. Anchors of did:keys
 * stay as they are. Rejects with `identity.did-unresolvable`, `identity.pin-mismatch`, `identity.key-set-invalid`,
 * `identity.key-unsafe`: one anchor that cannot be resolved is enough.
 */
export function resolveAnchors(anchors: readonly Anchor[], resolver: Resolvable): Promise<readonly Anchor[]> {
  return Promise.all(
    anchors.map(async (anchor) => {
      if (!anchor.owner.startsWith('did:web:')) return anchor
      const keySet = await fetchKeySet(anchor, resolver)
      assertPinned(anchor, keySet, undefined)
      return { ...anchor, keySet }
    }),
  )
}

/**
 * Fetches the keys of did:web owners again and puts those into use that hold: the same keys, those that the set before has
 * promised by its next-key hash, or any where pinning is written off. Whatever fails leaves the held keys in use, and is
 * returned by owner.
 */
export async function refreshAnchors(
  anchors: Anchors,
  resolver: Resolvable,
): Promise<readonly { readonly owner: string; readonly error: unknown }[]> {
  const failures = await Promise.all(
    anchors.list.map(async (anchor) => {
      if (!anchor.owner.startsWith('did:web:')) return []
      try {
        const keySet = await fetchKeySet(anchor, resolver)
        assertPinned(anchor, keySet, anchors.keySetOf(anchor.owner))
        anchors.replaceKeySet(anchor.owner, keySet)
        return []
      } catch (error) {
        return [{ owner: anchor.owner, error }]
      }
    }),
  )
  return failures.flat()
}

async function fetchKeySet(anchor: Anchor, resolver: Resolvable): Promise<OwnerKeySet> {
  const { didDocument, didResolutionMetadata } = await resolver.resolve(anchor.owner)
  if (didDocument) return readOwnerKeySet(didDocument)
  const why = typeof didResolutionMetadata['message'] === 'string' ? didResolutionMetadata['message'] : 'no document'
  throw new MeshError('identity.did-unresolvable', `${anchor.owner} cannot be resolved: ${why}`)
}

function assertPinned({ owner, pin }: Anchor, keySet: OwnerKeySet, held: OwnerKeySet | undefined): void {
  const hash = hashOwnerKeySet(keySet)
  if (pin === 'off' || hash === pin || hash === held?.next) return
  if (held && hash === hashOwnerKeySet(held)) return
  throw new MeshError(
    'identity.pin-mismatch',
    `the keys of ${owner} have the hash ${hash}, which its anchor does not pin; ask the owner, then change the pin`,
  )
}
