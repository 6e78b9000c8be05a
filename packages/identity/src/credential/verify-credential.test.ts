import { createManualClock, createSeededRandom } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { type Anchor, createAnchors } from './anchor.ts'
import { type Credential, signCredential } from './credential.ts'
import { type IssuerStatement, signIssuerStatement } from './issuer-statement.ts'
import { verifyCredential } from './verify-credential.ts'

const random = createSeededRandom(1)
const createSigner = (): ReturnType<typeof createKeySigner> => createKeySigner(generateSeed(random))
const nowMs = createManualClock().now()
const [owner, issuer, node, stranger] = [createSigner(), createSigner(), createSigner(), createSigner()]
const minute = 60_000

const baseAnchor: Anchor = { owner: owner.did, alias: 'acme', issues: ['acme/*'], roots: 'all', ceiling: 900 }
const baseStatement: IssuerStatement = {
  issuer: issuer.did,
  names: ['acme/*'],
  serves: ['flights:*'],
  calls: ['pay:charge', 'mail:*'],
  ceiling: 950,
  ring: 2,
  maxCredentialMs: 15 * minute,
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + 600 * minute,
}
const baseCredential: Credential = {
  id: 'c1',
  instance: node.did,
  name: 'acme/flights',
  serves: ['flights:reserve'],
  calls: ['pay:charge'],
  agentKind: 'agent',
  notBeforeMs: nowMs,
  expiresAtMs: nowMs + 15 * minute,
}

interface Change {
  readonly anchor?: Partial<Anchor>
  readonly statement?: Partial<IssuerStatement>
  readonly credential?: Partial<Credential>
  readonly owner?: typeof owner
  readonly issuer?: typeof issuer
  readonly instance?: string
  readonly nowMs?: number
}

async function verifyChanged(change: Change): Promise<ReturnType<typeof verifyCredential>> {
  const statement = await signIssuerStatement(change.owner ?? owner, { ...baseStatement, ...change.statement })
  const credential = await signCredential(change.issuer ?? issuer, { ...baseCredential, ...change.credential })
  const anchors = createAnchors([{ ...baseAnchor, ...change.anchor }])
  const instance = change.instance ?? node.did
  return verifyCredential({ credential, statement }, { anchors, instance, nowMs: change.nowMs ?? nowMs })
}

describe('verifyCredential', () => {
  it('accepts an honest credential and says who speaks', async () => {
    expect(await verifyChanged({ credential: { ring: 3, ledger: 'db-1' } })).toEqual({
      kind: 'allow',
      credential: {
        ...baseCredential,
        owner: owner.did,
        issuer: issuer.did,
        ceiling: 900,
        ring: 3,
        ledger: 'db-1',
      },
    })
  })

  it('takes the lowest of the three ceilings', async () => {
    const ceilings = fc.integer({ min: 0, max: 1000 })
    await fc.assert(
      fc.asyncProperty(ceilings, ceilings, ceilings, async (anchor, statement, credential) => {
        const verdict = await verifyChanged({
          anchor: { ceiling: anchor },
          statement: { ceiling: statement },
          credential: { ceiling: credential },
        })
        expect(verdict).toMatchObject({ credential: { ceiling: Math.min(anchor, statement, credential) } })
      }),
      { numRuns: 20 },
    )
  })

  it('ends no later than its statement', async () => {
    const verdict = await verifyChanged({ statement: { expiresAtMs: nowMs + minute } })
    expect(verdict).toMatchObject({ credential: { expiresAtMs: nowMs + minute } })
  })

  const refusals: readonly (readonly [string, string, Change])[] = [
    ['an owner without an anchor', 'identity.owner-unknown', { owner: stranger }],
    ['a name under another alias', 'identity.name-not-owned', { credential: { name: 'globex/flights' } }],
    ['a name whose alias only starts alike', 'identity.name-not-owned', { credential: { name: 'acme-x/flights' } }],
    [
      'a name that this node anchors under another alias',
      'identity.name-not-owned',
      { anchor: { alias: 'acme-eu', issues: ['acme-eu/*'] } },
    ],
    ['a name that the anchor does not list', 'identity.name-not-owned', { anchor: { issues: ['acme/pay'] } }],
    ['a name that the statement does not list', 'identity.name-not-owned', { statement: { names: ['acme/pay'] } }],
    ['another instance', 'identity.credential-mismatch', { instance: stranger.did }],
    ['an issuer that the statement does not name', 'identity.credential-mismatch', { issuer: stranger }],
    ['the owner as its own issuer without saying so', 'identity.credential-mismatch', { issuer: owner }],
    ['serving more than the statement lets', 'identity.issuer-refused', { credential: { serves: ['pay:charge'] } }],
    ['calling a broader pattern', 'identity.issuer-refused', { credential: { calls: ['pay:*'] } }],
    ['a more privileged ring', 'identity.issuer-refused', { credential: { ring: 1 } }],
    ['a longer life', 'identity.issuer-refused', { credential: { expiresAtMs: nowMs + 15 * minute + 1000 } }],
    ['an expired credential', 'identity.credential-expired', { nowMs: nowMs + 16 * minute }],
    ['a credential of tomorrow', 'identity.credential-expired', { nowMs: nowMs - 2 * minute }],
    [
      'an expired statement',
      'identity.credential-expired',
      { statement: { issuedAtMs: nowMs - 9 * minute, expiresAtMs: nowMs - 2 * minute } },
    ],
    ['a bare star', 'identity.jwt-invalid', { credential: { serves: ['*'] } }],
    ['a statement with a bare star', 'identity.jwt-invalid', { statement: { serves: ['*'] } }],
    ['a ceiling above 1000', 'identity.jwt-invalid', { credential: { ceiling: 1001 } }],
    ['a name that is none', 'identity.jwt-invalid', { credential: { name: 'acme/../x' } }],
  ]
  it.each(refusals)('refuses %s', async (_, code, change) => {
    expect(await verifyChanged(change)).toMatchObject({ kind: 'deny', code })
  })

  it('refuses a ring that the statement does not speak of', async () => {
    const { ring, ...without } = baseStatement
    expect(ring).toBe(2)
    const statement = await signIssuerStatement(owner, without)
    const credential = await signCredential(issuer, { ...baseCredential, ring: 3 })
    const anchors = createAnchors([baseAnchor])
    expect(verifyCredential({ credential, statement }, { anchors, instance: node.did, nowMs })).toMatchObject({
      code: 'identity.issuer-refused',
    })
  })

  it('refuses a forged signature on either token, and the tokens swapped', async () => {
    const statement = await signIssuerStatement(owner, baseStatement)
    const credential = await signCredential(issuer, baseCredential)
    const anchors = createAnchors([baseAnchor])
    const verify = (presented: { statement: string; credential: string }): unknown =>
      verifyCredential(presented, { anchors, instance: node.did, nowMs })
    const forgedStatement = await signIssuerStatement({ ...stranger, did: owner.did }, baseStatement)
    const forgedCredential = await signCredential({ ...stranger, did: issuer.did }, baseCredential)
    expect(verify({ statement, credential })).toMatchObject({ kind: 'allow' })
    expect(verify({ statement: forgedStatement, credential })).toMatchObject({ code: 'identity.signature-invalid' })
    expect(verify({ statement, credential: forgedCredential })).toMatchObject({ code: 'identity.signature-invalid' })
    expect(verify({ statement: credential, credential: statement })).toMatchObject({ code: 'identity.jwt-invalid' })
  })
})
