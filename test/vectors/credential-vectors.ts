import { createNkey, jwtTypes } from '@parley/identity'
import {
  acmeIssuer,
  anchorList,
  desk,
  deskClaims,
  evil,
  globex,
  nowSeconds,
  planes,
  signClaims,
  signDeskCredential,
  signStatement,
  signTexts,
} from './token-parties.ts'
import { nowMs, printVectors, seedOf } from './vector-kit.ts'

/** A credential with its statement, as an instance presents them. */
export interface CredentialVector {
  readonly name: string
  readonly credential: string
  readonly statement: string
  /** The instance that proved itself. */
  readonly instance: string
  readonly expect: string
}

/** Lists credentials and statements: those that hold, and each way of being wrong. */
export async function createCredentialVectors(): Promise<readonly CredentialVector[]> {
  const statement = await signStatement()
  const good = await signDeskCredential()
  const seed = seedOf('acme/desk nats')
  const { nkey } = createNkey('U', seed)
  const [headerPart = '', payloadPart = '', signaturePart = ''] = good.split('.')
  const header = '{"alg":"EdDSA","typ":"parley-credential+jwt"}'
  const payload = Buffer.from(payloadPart, 'base64url').toString()
  const flipped = `${headerPart}.${payloadPart}.${signaturePart.startsWith('A') ? 'B' : 'A'}${signaturePart.slice(1)}`
  const credentials: readonly (readonly [name: string, credential: string, expect: string])[] = [
    ['of a name under its owner', good, 'allow'],
    [
      'of a human',
      await signDeskCredential({ kind: 'human', ring: 3, assurance: 2, authTime: nowSeconds - 60 }),
      'allow',
    ],
    [
      'of a human of whom it does not say how it signed in',
      await signDeskCredential({ kind: 'human', ring: 3 }),
      'identity.jwt-invalid',
    ],
    [
      'of a human of whom it does not say when it signed in',
      await signDeskCredential({ kind: 'human', assurance: 2 }),
      'identity.jwt-invalid',
    ],
    [
      'of a human with an assurance that does not exist',
      await signDeskCredential({ kind: 'human', assurance: 4, authTime: nowSeconds - 60 }),
      'identity.jwt-invalid',
    ],
    [
      'of an agent that signed in as people do',
      await signDeskCredential({ assurance: 2, authTime: nowSeconds - 60 }),
      'identity.jwt-invalid',
    ],
    [
      'expired 59 s ago',
      await signDeskCredential({ iat: nowSeconds - 300, nbf: nowSeconds - 300, exp: nowSeconds - 59 }),
      'allow',
    ],
    [
      'expired 60 s ago',
      await signDeskCredential({ iat: nowSeconds - 300, nbf: nowSeconds - 300, exp: nowSeconds - 60 }),
      'identity.credential-expired',
    ],
    ['not yet valid', await signDeskCredential({ nbf: nowSeconds + 61 }), 'identity.credential-expired'],
    ['of another instance', await signDeskCredential({ instance: planes.did }), 'identity.credential-mismatch'],
    ['signed by another than the statement names', await signDeskCredential({}, evil), 'identity.credential-mismatch'],
    ['with another signature', flipped, 'identity.signature-invalid'],
    ['of another owner’s name', await signDeskCredential({ name: 'globex/desk' }), 'identity.name-not-owned'],
    ['of a name that is none', await signDeskCredential({ name: 'desk' }), 'identity.jwt-invalid'],
    ['that serves a bare *', await signDeskCredential({ serves: ['*'] }), 'identity.jwt-invalid'],
    [
      'that calls more than the issuer may give',
      await signDeskCredential({ calls: ['pay:charge'] }),
      'identity.issuer-refused',
    ],
    ['of a ring that the issuer may not give', await signDeskCredential({ ring: 1 }), 'identity.issuer-refused'],
    [
      'that lives longer than the statement lets',
      await signDeskCredential({ exp: nowSeconds + 901 }),
      'identity.issuer-refused',
    ],
    ['with the NATS user key of its instance', await signDeskCredential({ nkey }), 'allow'],
    [
      'with a NATS user key in lower case',
      await signDeskCredential({ nkey: nkey.toLowerCase() }),
      'identity.jwt-invalid',
    ],
    [
      'with a NATS key of an account',
      await signDeskCredential({ nkey: createNkey('A', seed).nkey }),
      'identity.jwt-invalid',
    ],
    [
      'with a NATS user key whose checksum is wrong',
      await signDeskCredential({ nkey: nkey.slice(0, -1) + (nkey.endsWith('A') ? 'B' : 'A') }),
      'identity.jwt-invalid',
    ],
    [
      'with a NATS user key of small order',
      await signDeskCredential({ nkey: 'UAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABVBG' }),
      'identity.jwt-invalid',
    ],
    ['of an unknown kind', await signDeskCredential({ kind: 'robot' }), 'identity.jwt-invalid'],
    ['without exp', await signDeskCredential({ exp: undefined }), 'identity.jwt-invalid'],
    ['without nbf', await signDeskCredential({ nbf: undefined }), 'identity.jwt-invalid'],
    ['with exp as text', await signDeskCredential({ exp: String(nowSeconds + 60) }), 'identity.jwt-invalid'],
    [
      'with the typ of a delegation',
      await signClaims(acmeIssuer, jwtTypes.delegation, deskClaims),
      'identity.jwt-invalid',
    ],
    ['with alg none', await signTexts(acmeIssuer, header.replace('EdDSA', 'none'), payload), 'identity.jwt-invalid'],
    [
      'with a third header field',
      await signTexts(acmeIssuer, header.replace('}', ',"kid":"1"}'), payload),
      'identity.jwt-invalid',
    ],
    [
      'with a space in its payload',
      await signTexts(acmeIssuer, header, payload.replace(':', ': ')),
      'identity.jwt-invalid',
    ],
    [
      'with a duplicate claim',
      await signTexts(acmeIssuer, header, payload.replace('}', ',"kind":"agent"}')),
      'identity.jwt-invalid',
    ],
    ['with two parts', `${headerPart}.${payloadPart}`, 'identity.jwt-invalid'],
    ['with padding', `${good}=`, 'identity.jwt-invalid'],
  ]
  const statements: readonly (readonly [name: string, statement: string, expect: string])[] = [
    ['under a statement of an owner that is not accepted', await signStatement({}, evil), 'identity.owner-unknown'],
    ['under a statement of another accepted owner', await signStatement({}, globex), 'identity.name-not-owned'],
    ['under a statement for other names', await signStatement({ names: ['acme/planes'] }), 'identity.name-not-owned'],
    [
      'under a statement that is expired',
      await signStatement({ iat: nowSeconds - 300, exp: nowSeconds - 61 }),
      'identity.credential-expired',
    ],
    [
      'under a statement about another issuer',
      await signStatement({ issuer: evil.did }),
      'identity.credential-mismatch',
    ],
    ['under a statement with calls missing', await signStatement({ calls: undefined }), 'identity.jwt-invalid'],
    ['under a statement that grants a bare *', await signStatement({ calls: ['*'] }), 'identity.jwt-invalid'],
    ['under itself', good, 'identity.jwt-invalid'],
  ]
  return [
    ...credentials.map(([name, credential, expect]) => ({ name, credential, statement, instance: desk.did, expect })),
    ...statements.map(([name, other, expect]) => ({
      name,
      credential: good,
      statement: other,
      instance: desk.did,
      expect,
    })),
  ]
}

/** Writes credentials.json. */
export async function renderCredentialVectors(): Promise<string> {
  return printVectors(
    'Credentials with their issuer statements, as an instance presents them to a verifier with these anchors.',
    { nowMs, anchors: anchorList },
    { credentials: await createCredentialVectors() },
  )
}
