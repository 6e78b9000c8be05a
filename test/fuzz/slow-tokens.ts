import { createAnchors, hashChain, jwtTypes, verifyCredential, verifyDelegationChain } from '@parley/identity'
import { acme, acmeIssuer, anchorList, desk, nowSeconds } from '../vectors/token-parties.ts'

const anchors = createAnchors(anchorList)
const nowMs = nowSeconds * 1_000
const self = { owner: acme.did, name: 'acme/desk' } as const

/** Makes a token that nobody signed: what is measured is all that comes before its signature. */
function draft(typ: string, claims: object): string {
  const times = { iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + 600 }
  const parts = [
    { alg: 'EdDSA', typ },
    { ...times, ...claims },
  ]
  return [...parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')), 'A'.repeat(86)].join('.')
}

/** As many different capabilities as a list of so many bytes holds, the last ones first. */
const capabilities = (bytes: number): readonly string[] =>
  Array.from({ length: Math.min(256, bytes / 187) }, (_, at) => `flights:o${String(256 - at)}`)

/** Tokens that make a careless reader slow, at a size in bytes. */
export const tokenWorks: Readonly<Record<string, (bytes: number) => () => unknown>> = {
  'capabilities of a chain': (bytes) => {
    const granted = capabilities(bytes)
    const root = draft(jwtTypes.delegation, {
      iss: acme.did,
      jti: 'root',
      delegator: acme.did,
      delegate: self,
      capabilities: granted,
    })
    const further = draft(jwtTypes.delegation, {
      iss: desk.did,
      jti: 'further',
      delegator: self,
      delegate: self,
      capabilities: granted.toReversed(),
      parent: hashChain([root]),
      credential: 'c',
      statement: 's',
    })
    return () => verifyDelegationChain([root, further], { anchors, nowMs, delegate: self })
  },
  'patterns of a credential': (bytes) => {
    const calls = capabilities(bytes)
    const statement = draft(jwtTypes.statement, {
      iss: acme.did,
      issuer: acmeIssuer.did,
      names: ['acme/*'],
      serves: 'all',
      calls,
      ceiling: 900,
      maxCredentialSeconds: 900,
    })
    const credential = draft(jwtTypes.credential, {
      iss: acmeIssuer.did,
      jti: 'credential',
      instance: desk.did,
      name: 'acme/desk',
      serves: [],
      calls: calls.toReversed(),
      kind: 'agent',
    })
    return () => verifyCredential({ credential, statement }, { anchors, instance: desk.did, nowMs })
  },
}
