import { createManualClock, createSeededRandom, systemHash } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createOwnerKeySet } from '../did-web/owner-key-set.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { type Anchor, createAnchors } from './anchor.ts'
import { createCredentialMemory } from './credential-memory.ts'
import { signCredential } from './credential.ts'
import { signIssuerStatement } from './issuer-statement.ts'
import type { PresentedCredential } from './verify-credential.ts'

const random = createSeededRandom(1)
const createSigner = (): ReturnType<typeof createKeySigner> => createKeySigner(generateSeed(random))
const nowMs = createManualClock().now()
const [owner, issuer, node, other] = [createSigner(), createSigner(), createSigner(), createSigner()]
const minute = 60_000
const anchor: Anchor = { owner: owner.did, alias: 'acme', issues: ['acme/*'], roots: 'all' }

async function present(id = 'c1', instance = node.did, serves = ['flights:reserve']): Promise<PresentedCredential> {
  const statement = await signIssuerStatement(owner, {
    issuer: issuer.did,
    names: ['acme/*'],
    serves: 'all',
    calls: 'all',
    ceiling: 1000,
    maxCredentialMs: 60 * minute,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 600 * minute,
  })
  const credential = await signCredential(issuer, {
    id,
    instance,
    name: 'acme/flights',
    serves,
    calls: [],
    agentKind: 'agent',
    notBeforeMs: nowMs,
    expiresAtMs: nowMs + 15 * minute,
  })
  return { credential, statement }
}

/** Breaks the signature of a token: what is remembered is told apart from what is verified. */
function spoil(token: string): string {
  const [header, payload, signature = ''] = token.split('.')
  return [header, payload, (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)].join('.')
}

/** Counts how often a credential is looked at anew: only then the anchors are asked for the owner. */
function open(given: Anchor = anchor, maxCredentials?: number) {
  const anchors = createAnchors([given])
  let verified = 0
  const counted = {
    ...anchors,
    ofOwner(did: string) {
      verified += 1
      return anchors.ofOwner(did)
    },
  }
  const bound = maxCredentials === undefined ? {} : { maxCredentials }
  const memory = createCredentialMemory({ anchors: counted, hash: systemHash, ...bound })
  return { memory, anchors, verified: () => verified }
}

describe('createCredentialMemory', () => {
  it('checks the signatures of a credential once, however often it comes', async () => {
    const { memory, verified } = open()
    const presented = await present()
    const first = memory.verify(presented, { instance: node.did, nowMs })
    expect(first.kind).toBe('allow')
    for (let again = 0; again < 100; again++)
      expect(memory.verify({ ...presented }, { instance: node.did, nowMs: nowMs + again })).toEqual(first)
    expect(verified()).toBe(1)
  })

  it('I1: refuses it to another instance, once it is expired, and before it was seen to hold', async () => {
    const { memory } = open()
    const presented = await present()
    expect(memory.verify(presented, { instance: node.did, nowMs }).kind).toBe('allow')
    const ask = (instance: string, atMs: number) => memory.verify(presented, { instance, nowMs: atMs })
    expect(ask(other.did, nowMs)).toMatchObject({ code: 'identity.credential-mismatch' })
    expect(ask(node.did, nowMs + 16 * minute - 1).kind).toBe('allow')
    expect(ask(node.did, nowMs + 16 * minute)).toMatchObject({ code: 'identity.credential-expired' })
    expect(ask(node.did, nowMs - 2 * minute)).toMatchObject({ code: 'identity.credential-expired' })
    expect(ask(node.did, nowMs).kind).toBe('allow')
  })

  it('I1: verifies again once the owner has other keys', async () => {
    const keySet = createOwnerKeySet({ threshold: 1, keys: [owner.did] })
    const web = { ...anchor, owner: 'did:web:acme.example' as const, pin: 'off', keySet }
    const { memory, anchors, verified } = open(web)
    const ownStatement = await present()
    const [header = '', payload = ''] = ownStatement.statement.split('.')
    const claims = { ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), iss: web.owner }
    const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
    const signature = await owner.sign('jwt', Buffer.from(input))
    const presented = { ...ownStatement, statement: `${input}.${Buffer.from(signature).toString('base64url')}` }
    const ask = () => memory.verify(presented, { instance: node.did, nowMs })
    expect([ask().kind, ask().kind, verified()]).toEqual(['allow', 'allow', 1])
    anchors.replaceKeySet(web.owner, createOwnerKeySet({ threshold: 1, keys: [other.did] }))
    expect(ask()).toMatchObject({ code: 'identity.signature-invalid' })
  })

  it('I2: remembers no refusal, and takes nothing that differs in one character for what it knows', async () => {
    const { memory } = open()
    const presented = await present()
    for (const wrong of [
      { ...presented, credential: spoil(presented.credential) },
      { ...presented, statement: spoil(presented.statement) },
    ])
      for (const known of [false, true, true]) {
        if (known) memory.verify(presented, { instance: node.did, nowMs })
        expect(memory.verify(wrong, { instance: node.did, nowMs })).toMatchObject({ kind: 'deny' })
      }
  })

  it('shows the tokens of who may answer, and keeps none of who only calls', async () => {
    const { memory } = open()
    for (const serves of [['flights:reserve'], []]) {
      const presented = await present('c1', node.did, serves)
      const verified = memory.verify(presented, { instance: node.did, nowMs })
      expect(verified.kind === 'allow' && memory.presentedAs(verified.credential)).toEqual(
        serves.length > 0 ? presented : undefined,
      )
    }
  })

  it('I3: keeps those that were used last, and no more than its bound', async () => {
    const { memory, verified } = open(anchor, 2)
    const [a, b, c] = [await present('a'), await present('b'), await present('c')]
    for (const each of [a, b, a, c, a]) memory.verify(each, { instance: node.did, nowMs })
    expect(verified()).toBe(3)
    memory.verify(b, { instance: node.did, nowMs })
    expect(verified()).toBe(4)
  })
})
