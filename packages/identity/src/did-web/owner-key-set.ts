import { systemHash } from '@parley/ports'
import { type InstanceDid, MeshError } from '@parley/protocol'
import type { DIDDocument, VerificationMethod } from 'did-resolver'
import { isObjectClaim } from '../jwt/claim.ts'
import { decideDidKey, formatDidKey } from '../key/did-key.ts'
import { pointBytes } from '../key/point.ts'
import { quote } from '../key/quote.ts'

/** The keys that speak for an owner: any `threshold` of them together. */
export interface OwnerKeySet {
  /** How many of the keys must sign. The format has room for any; only 1 is accepted. */
  readonly threshold: number
  /** Ascending, each once. */
  readonly keys: readonly InstanceDid[]
  /** Hash of the key set that follows this one: a set that was promised is accepted without a new pin. */
  readonly next?: string
}

const maxKeys = 8
const maxMethods = 64
const hashPattern = /^[A-Za-z0-9_-]{43}$/

/** Makes a key set of did:keys. Throws `identity.key-set-invalid` if there are none, too many, or they cannot be used. */
export function createOwnerKeySet(set: OwnerKeySet): OwnerKeySet {
  const keys = [...new Set(set.keys)].sort()
  if (keys.length === 0 || keys.length > maxKeys) throw invalid(`a key set has 1 to ${String(maxKeys)} keys`)
  for (const key of keys) {
    const verdict = decideDidKey(key)
    if (verdict.kind === 'deny') throw new MeshError(verdict.code, verdict.reason)
  }
  const { threshold, next } = set
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keys.length)
    throw invalid(`a threshold of ${String(threshold)} does not fit ${String(keys.length)} keys`)
  if (threshold !== 1) throw invalid(`${String(threshold)} of ${String(keys.length)} signatures are not supported yet`)
  if (next !== undefined && !hashPattern.test(next)) throw invalid('its next-key hash is not a SHA-256 in base64url')
  return { threshold, keys, ...(next === undefined ? {} : { next }) }
}

/** Computes what an anchor pins: base64url of SHA-256 over `threshold`, `keys` and `next` as JSON, in this order. */
export function hashOwnerKeySet({ threshold, keys, next }: OwnerKeySet): string {
  const text = JSON.stringify({ threshold, keys: [...keys].sort(), next })
  return Buffer.from(systemHash(Buffer.from(text))).toString('base64url')
}

/**
 * Reads the key set of a DID document: its Ed25519 assertion methods (Multikey, Ed25519VerificationKey2020, JsonWebKey), and
 * the member `parley` with `threshold` and `next`; 1 without it. Other kinds of keys are left out. Throws
 * `identity.key-set-invalid`, and `identity.key-unsafe` for a key that may not enter.
 */
export function readOwnerKeySet(document: DIDDocument): OwnerKeySet {
  const methods = document.verificationMethod ?? []
  const assertions = document.assertionMethod ?? []
  if (!Array.isArray(methods) || !Array.isArray(assertions) || methods.length + assertions.length > maxMethods)
    throw invalid('its methods are malformed')
  const keys = assertions.flatMap((entry: unknown) => {
    const method = typeof entry === 'string' ? methods.find(({ id }) => isSameId(document.id, id, entry)) : entry
    if (!isObjectClaim(method)) throw invalid('an assertion method is not in it')
    return readKey(method as unknown as VerificationMethod)
  })
  const terms: unknown = (document as unknown as Readonly<Record<string, unknown>>)['parley'] ?? {}
  if (!isObjectClaim(terms)) throw invalid('its member parley is not an object')
  const { threshold = 1, next } = terms
  if (typeof threshold !== 'number' || !(next === undefined || typeof next === 'string'))
    throw invalid('its member parley is malformed')
  return createOwnerKeySet({ threshold, keys, ...(next === undefined ? {} : { next }) })
}

/** Writes the DID document that says a key set: what a did:web owner publishes as `did.json`. */
export function formatDidDocument(did: string, { threshold, keys, next }: OwnerKeySet): DIDDocument {
  const methods = keys.map((key) => {
    const multibase = key.slice('did:key:'.length)
    return { id: `${did}#${multibase}`, type: 'Multikey', controller: did, publicKeyMultibase: multibase }
  })
  const document = {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    verificationMethod: methods,
    assertionMethod: methods.map(({ id }) => id),
    parley: { threshold, ...(next === undefined ? {} : { next }) },
  }
  return document
}

function isSameId(did: string, id: unknown, wanted: string): boolean {
  return typeof id === 'string' && (id === wanted || `${did}${id}` === wanted || id === `${did}${wanted}`)
}

function readKey(method: VerificationMethod): readonly InstanceDid[] {
  const { type, publicKeyMultibase } = method
  const jwk: unknown = method.publicKeyJwk
  if ((type === 'Multikey' || type === 'Ed25519VerificationKey2020') && typeof publicKeyMultibase === 'string') {
    if (!publicKeyMultibase.startsWith('z6Mk')) return []
    const verdict = decideDidKey(`did:key:${publicKeyMultibase}`)
    if (verdict.kind === 'deny') throw new MeshError(verdict.code, verdict.reason)
    return [formatDidKey(verdict.publicKey)]
  }
  if ((type === 'JsonWebKey' || type === 'JsonWebKey2020') && isObjectClaim(jwk)) {
    if (jwk['kty'] !== 'OKP' || jwk['crv'] !== 'Ed25519') return []
    const x = jwk['x']
    if (typeof x !== 'string' || x.length !== 43) throw invalid('the x of a JWK is not 32 bytes')
    const bytes = Buffer.from(x, 'base64url')
    if (bytes.length !== pointBytes || bytes.toString('base64url') !== x) throw invalid(`the x of a JWK is ${quote(x)}`)
    return [formatDidKey(new Uint8Array(bytes))]
  }
  return []
}

function invalid(why: string): MeshError {
  return new MeshError('identity.key-set-invalid', `the owner's keys are refused: ${why}`)
}
