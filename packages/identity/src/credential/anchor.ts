import { type AgentName, type Did, type InstanceDid, MeshError } from '@parley/protocol'
import { isWebDid } from '../did-web/did-web-url.ts'
import { createOwnerKeySet, hashOwnerKeySet, type OwnerKeySet } from '../did-web/owner-key-set.ts'
import { isCeilingClaim, isListClaim, isObjectClaim, isOptionalClaim } from '../jwt/claim.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { quote } from '../key/quote.ts'
import { type CapabilityScope, isCapabilityScope } from './capability-scope.ts'
import { aliasOf, isAlias, isNamePattern, namePatternsCover } from './name-pattern.ts'

/** An owner that this node accepts. */
export interface Anchor {
  /** The owner's DID: a did:key, or a did:web whose keys `resolveAnchors` fetches. */
  readonly owner: Did
  /** For a did:web: what `hashOwnerKeySet` gives for the keys that are accepted, or `off` to accept what its site says. */
  readonly pin?: string
  /** For a did:web: the keys that the pin was made of, as they were fetched or handed over. Without them it is of no use. */
  readonly keySet?: OwnerKeySet
  /** The first part of the owner's names, as this node calls them. */
  readonly alias: string
  /** Patterns of the names that the owner may vouch for, for instance `acme/*`; all of them under the alias. */
  readonly issues: readonly string[]
  /** Capabilities for which the owner may be the root of a delegation. */
  readonly roots: CapabilityScope
  /** The highest trust score that any of its agents can have here; 1000 by default. */
  readonly ceiling?: number
  /**
   * `required`: what is known of this owner's orders must be fresh enough for the risk of a hop, so its issuer has to tell.
   * Without it a hop goes on with the orders that are known.
   */
  readonly orders?: 'required'
}

/** The owners that this node accepts, found by DID or by name. */
export interface Anchors {
  readonly list: readonly Anchor[]
  /** Returns the anchor of an owner's DID. */
  ofOwner(owner: string): Anchor | undefined
  /** Returns the anchor that vouches for a name here, if its patterns cover the name. */
  ofName(name: AgentName): Anchor | undefined
  /** Returns the keys that speak for an anchored owner; none for anybody else. Asks nobody. */
  keysOf(owner: string): readonly InstanceDid[]
  keySetOf(owner: string): OwnerKeySet | undefined
  /** Puts other keys of a did:web owner into use. For `refreshAnchors`, which has held them against the pin. */
  replaceKeySet(owner: string, keySet: OwnerKeySet): void
}

/**
 * Indexes anchors. An owner has one anchor, an alias one owner, and an anchor's patterns stand under its own alias, so no
 * name has two owners. Throws `identity.anchor-invalid` for a malformed one, `identity.anchor-conflict` for two that
 * contradict each other.
 */
export function createAnchors(anchors: readonly Anchor[]): Anchors {
  const byOwner = new Map<string, Anchor>()
  const byAlias = new Map<string, Anchor>()
  const keySets = new Map<string, OwnerKeySet>()
  for (const anchor of anchors.map(parseAnchor)) {
    if (byOwner.has(anchor.owner)) throw conflict(`the owner ${anchor.owner} has two anchors; merge them`)
    if (byAlias.has(anchor.alias)) throw conflict(`two owners share the alias ${anchor.alias}; rename one`)
    byOwner.set(anchor.owner, anchor)
    byAlias.set(anchor.alias, anchor)
    keySets.set(anchor.owner, keySetOf(anchor))
  }
  return {
    list: [...byOwner.values()],
    ofOwner: (owner) => byOwner.get(owner),
    keysOf: (owner) => keySets.get(owner)?.keys ?? [],
    keySetOf: (owner) => keySets.get(owner),
    replaceKeySet(owner, keySet) {
      if (byOwner.get(owner)?.keySet) keySets.set(owner, createOwnerKeySet(keySet))
    },
    ofName(name) {
      const anchor = byAlias.get(aliasOf(name))
      return anchor && namePatternsCover(anchor.issues, name) ? anchor : undefined
    },
  }
}

/** Reads an anchor from data, for instance a file. Throws `identity.anchor-invalid` or `identity.anchor-conflict`. */
export function parseAnchor(value: unknown): Anchor {
  if (!isObjectClaim(value)) throw malformed('an anchor is an object')
  const { owner, alias, issues, roots, ceiling, orders, pin, keySet } = value
  if (typeof owner !== 'string' || !(isInstanceDid(owner) || isWebDid(owner)))
    throw malformed('the owner of an anchor is a canonical did:key or a did:web')
  if (typeof alias !== 'string' || !isAlias(alias))
    throw malformed(`the alias ${JSON.stringify(alias)} is not 1 to 63 of a-z, 0-9 and -`)
  if (!isListClaim(issues, isNamePattern)) throw malformed(`the anchor ${alias} issues names or alias/*`)
  const foreign = issues.find((pattern) => aliasOf(pattern) !== alias)
  if (foreign !== undefined)
    throw conflict(`the anchor ${alias} issues ${quote(foreign)}, which is under another alias`)
  if (!isCapabilityScope(roots))
    throw malformed(`the anchor ${alias} has roots that are not capability patterns or 'all'`)
  if (!isOptionalClaim(ceiling, isCeilingClaim)) throw malformed(`the anchor ${alias} has a ceiling outside 0 to 1000`)
  if (orders !== undefined && orders !== 'required')
    throw malformed(`the anchor ${alias} says of orders something else than 'required'`)
  const terms = {
    owner,
    alias,
    issues,
    roots,
    ...(ceiling === undefined ? {} : { ceiling }),
    ...(orders === undefined ? {} : { orders: 'required' as const }),
  }
  if (isInstanceDid(owner)) {
    if (pin !== undefined || keySet !== undefined)
      throw malformed(`the anchor ${alias} is of a did:key, which is its own pin`)
    return terms
  }
  if (typeof pin !== 'string' || !(pin === 'off' || hashPattern.test(pin)))
    throw malformed(`the anchor ${alias} of a did:web needs a pin: the hash of its keys, or off`)
  if (keySet === undefined) return { ...terms, pin }
  if (!isObjectClaim(keySet)) throw malformed(`the keys of the anchor ${alias} are no key set`)
  const keys = createOwnerKeySet(keySet as unknown as OwnerKeySet)
  if (pin !== 'off' && hashOwnerKeySet(keys) !== pin)
    throw new MeshError('identity.pin-mismatch', `the keys of the anchor ${alias} are not those that it pins`)
  return { ...terms, pin, keySet: keys }
}

/** Returns the keys of an anchor that can be used. Throws `identity.anchor-invalid` for a did:web that was not resolved. */
function keySetOf({ owner, alias, keySet }: Anchor): OwnerKeySet {
  if (keySet) return keySet
  if (isInstanceDid(owner)) return { threshold: 1, keys: [owner] }
  throw malformed(`the keys of the anchor ${alias} were not fetched: resolve ${owner} with resolveAnchors first`)
}

const hashPattern = /^[A-Za-z0-9_-]{43}$/

function malformed(why: string): MeshError {
  return new MeshError('identity.anchor-invalid', why)
}

function conflict(why: string): MeshError {
  return new MeshError('identity.anchor-conflict', why)
}
