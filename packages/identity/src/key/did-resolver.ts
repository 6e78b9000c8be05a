import { type DIDResolutionResult, type DIDResolver, Resolver } from 'did-resolver'
import { decideDidKey } from './did-key.ts'

/**
 * Resolves did:key for libraries that ask a `did-resolver`, by the same rule as everywhere in the mesh: a DID that does
 * not re-encode to itself, or whose key is unsafe, is `invalidDid`. The document has the one Ed25519 key for all uses but
 * key agreement, which sessions do with keys of their own.
 */
export const resolveDidKey: DIDResolver = (did) => Promise.resolve(resolve(did))

/** Creates a resolver that knows did:key and nothing else; it never asks the network. */
export function createDidResolver(): Resolver {
  return new Resolver({ key: resolveDidKey })
}

function resolve(did: string): DIDResolutionResult {
  const verdict = decideDidKey(did)
  if (verdict.kind === 'deny') {
    return {
      didResolutionMetadata: { error: 'invalidDid', message: verdict.reason },
      didDocument: null,
      didDocumentMetadata: {},
    }
  }
  const multibase = did.slice('did:key:'.length)
  const id = `${did}#${multibase}`
  return {
    didResolutionMetadata: { contentType: 'application/did+json' },
    didDocument: {
      '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/suites/ed25519-2020/v1'],
      id: did,
      verificationMethod: [{ id, type: 'Ed25519VerificationKey2020', controller: did, publicKeyMultibase: multibase }],
      authentication: [id],
      assertionMethod: [id],
      capabilityInvocation: [id],
      capabilityDelegation: [id],
    },
    didDocumentMetadata: {},
  }
}
