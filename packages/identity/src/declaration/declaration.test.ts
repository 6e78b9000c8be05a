import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createAnchors } from '../credential/anchor.ts'
import { createLocalIssuer } from '../issuer/local-issuer.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { createKeySigner, type KeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createOrderBook } from '../order/order-book.ts'
import { type Declarer, signDeclaration, verifyDeclaration } from './declaration.ts'

const random = createSeededRandom(61)
const clock = createManualClock()
const nowMs = clock.now()
const minute = 60_000
const names = { serves: [], calls: [] } as const
const acme = createLocalIssuer({
  alias: 'acme',
  clock,
  random,
  allow: { 'acme/ann': { ...names, human: 2 }, 'acme/desk': names },
})
const anchors = createAnchors([acme.anchor])
const createSigner = (): KeySigner => createKeySigner(generateSeed(random))
const declarer = async (name: string): Promise<Declarer> => {
  const signer = createSigner()
  return { signer, ...(await acme.issue({ name, instance: signer.did, ...names })) }
}
const draft = {
  id: 'd1',
  purpose: 'approval',
  content: { digest: 'x', amount: 5 },
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + 5 * minute,
} as const
const expected = { purpose: 'approval', anchors, nowMs } as const

describe('verifyDeclaration', () => {
  it('tells what a person declared, who that is, and how they signed in', async () => {
    const ann = await declarer('acme/ann')
    const token = await signDeclaration(ann, draft)
    expect(verifyDeclaration(token, { ...expected, human: 2 })).toMatchObject({
      kind: 'allow',
      declaration: {
        ...draft,
        credential: { name: 'acme/ann', owner: acme.owner, agentKind: 'human', signIn: { assurance: 2, atMs: nowMs } },
      },
    })
  })

  it('refuses another purpose, a weaker sign-in, and a program where a person has to speak', async () => {
    const token = await signDeclaration(await declarer('acme/ann'), draft)
    expect(verifyDeclaration(token, { ...expected, purpose: 'sign-in' })).toMatchObject({
      code: 'identity.purpose-mismatch',
    })
    expect(verifyDeclaration(token, { ...expected, human: 3 })).toMatchObject({ code: 'identity.sign-in-too-weak' })
    const program = await signDeclaration(await declarer('acme/desk'), draft)
    expect(verifyDeclaration(program, { ...expected, human: 1 })).toMatchObject({ code: 'identity.sign-in-too-weak' })
    expect(verifyDeclaration(program, expected).kind).toBe('allow')
  })

  it('refuses one that another key signed beside a copied credential', async () => {
    const ann = await declarer('acme/ann')
    const forged = await signDeclaration({ ...ann, signer: createSigner() }, draft)
    expect(verifyDeclaration(forged, expected)).toMatchObject({ code: 'identity.credential-mismatch' })
    const claimed = await signDeclaration({ ...ann, signer: { ...createSigner(), did: ann.signer.did } }, draft)
    expect(verifyDeclaration(claimed, expected)).toMatchObject({ code: 'identity.signature-invalid' })
  })

  it('holds no longer than it says, nor than the credential, nor before it was made', async () => {
    const ann = await declarer('acme/ann')
    const long = await signDeclaration(ann, { ...draft, expiresAtMs: nowMs + 3_600_000 })
    const verdict = verifyDeclaration(long, expected)
    if (verdict.kind === 'deny') throw new Error(verdict.reason)
    expect(verdict.declaration.expiresAtMs).toBe(verdict.declaration.credential.expiresAtMs)
    const at = (token: string, ms: number): unknown => verifyDeclaration(token, { ...expected, nowMs: nowMs + ms })
    expect(at(long, 17 * minute)).toMatchObject({ code: 'identity.credential-expired' })
    const short = await signDeclaration(ann, draft)
    expect(at(short, 7 * minute)).toMatchObject({ code: 'identity.jwt-expired' })
    expect(at(short, -2 * minute)).toMatchObject({ code: 'identity.jwt-expired' })
  })

  it('refuses an owner that is not accepted, and leaves orders to the book', async () => {
    const rival = createLocalIssuer({ alias: 'rival', clock, random })
    const signer = createSigner()
    const issued = await rival.issue({ name: 'rival/bob', instance: signer.did, ...names })
    const foreign = await signDeclaration({ signer, ...issued }, draft)
    expect(verifyDeclaration(foreign, expected)).toMatchObject({ code: 'identity.owner-unknown' })
    const token = await signDeclaration(await declarer('acme/ann'), draft)
    const verdict = verifyDeclaration(token, expected)
    if (verdict.kind === 'deny') throw new Error(verdict.reason)
    const book = createOrderBook({ anchors })
    book.accept(await acme.order('revoke', 'acme/ann'), nowMs)
    expect(book.check(verdict.declaration.credential)).toMatchObject({ code: 'identity.revoked' })
  })

  it.each([
    ['content that is no object', { content: ['x'] }],
    ['no purpose', { purpose: undefined }],
    ['no id', { jti: undefined }],
    ['no credential', { credential: undefined }],
    ['a statement that is no text', { statement: 7 }],
  ])('refuses %s', async (_, claims) => {
    const { signer, credential, statement } = await declarer('acme/ann')
    const seconds = nowMs / 1000
    const token = await signJwt(signer, jwtTypes.declaration, {
      iat: seconds,
      exp: seconds + 60,
      jti: 'd1',
      purpose: 'approval',
      content: {},
      credential,
      statement,
      ...claims,
    })
    expect(verifyDeclaration(token, expected)).toMatchObject({ code: 'identity.jwt-invalid' })
  })

  it('takes no token of another kind, and is taken for none', async () => {
    const ann = await declarer('acme/ann')
    expect(verifyDeclaration(ann.credential, expected)).toMatchObject({ code: 'identity.jwt-invalid' })
    const token = await signDeclaration(ann, draft)
    expect(createOrderBook({ anchors }).accept(token, nowMs)).toMatchObject({ code: 'identity.jwt-invalid' })
  })
})

describe('signDeclaration', () => {
  it('refuses what nobody could verify', async () => {
    const ann = await declarer('acme/ann')
    for (const wrong of [
      { ...draft, id: '' },
      { ...draft, purpose: 'two words' },
      { ...draft, expiresAtMs: nowMs },
      { ...draft, content: { text: 'x'.repeat(20_000) } },
    ])
      await expect(signDeclaration(ann, wrong)).rejects.toMatchObject({ code: 'identity.jwt-invalid' })
  })
})
