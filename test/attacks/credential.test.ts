import { createKeySigner, generateSeed } from '@parley/identity'
import { localIssuer } from '@parley/mesh'
import type { IssuedCredential } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { shop, soundServes } from '../integration/shop.ts'
import { createRogue } from '../integration/rogue.ts'
import { createStranger } from '../integration/stranger.ts'
import { signTexts } from '../vectors/token-parties.ts'
import { openAttackLab, type AttackLab } from './attack-lab.ts'
import { refusedWith, type Impact } from './impact.ts'
import { claimsOf, resign } from './tokens.ts'

// Attacks with tokens, in a hello: the frame is proven, who speaks is not. What can be seen without a signature is seen
// before one is checked, so most cost nothing but the proof of the frame.

type Tokens = Pick<IssuedCredential, 'credential' | 'statement'>

/** Lets the attacker say hello with other tokens than its own. */
function greet(lab: AttackLab, { credential, statement }: Tokens, node = lab.counter): Promise<Impact> {
  return lab.attack(() => lab.rogue.send(node.instance, lab.rogue.hello({ credential, statement })), node)
}

const refused = (code: string, checks = 1): Impact => refusedWith(code, checks, { answers: 1 })

describe('a credential', () => {
  it('unknown signer: of an owner that no anchor accepts, of an issuer that its owner did not name, or of nobody', async () => {
    await using lab = await openAttackLab()
    const { clock, random } = lab.mesh
    const evil = localIssuer('acme', { clock, random })
    const foreign = await evil.issue({ name: 'acme/rogue', instance: lab.rogue.did, serves: [], calls: ['shop:buy'] })
    const { credential, statement } = lab.rogue.issued
    expect(await greet(lab, foreign)).toEqual(refused('identity.owner-unknown'))
    expect(await greet(lab, { credential: foreign.credential, statement })).toEqual(
      refused('identity.credential-mismatch'),
    )
    expect(await greet(lab, { credential, statement: foreign.statement })).toEqual(refused('identity.owner-unknown'))
    // Signed by the stranger, in the name of the issuer and of the owner.
    const own = createKeySigner(generateSeed(random))
    const asIssuer = await resign(credential, own, {})
    const asOwner = await resign(statement, own, {})
    expect(await greet(lab, { credential, statement: asOwner })).toEqual(refused('identity.signature-invalid', 2))
    expect(await greet(lab, { credential: asIssuer, statement })).toEqual(refused('identity.signature-invalid', 3))
    expect(await greet(lab, { credential: 'a.b.c', statement: 'a.b.c' })).toEqual(refused('identity.jwt-invalid'))
  })

  it('stolen credential with another key: is of its own key only (T35)', async () => {
    await using lab = await openAttackLab()
    const other = await createRogue(lab.mesh, 'acme/other')
    expect(await greet(lab, other.issued)).toEqual(refused('identity.credential-mismatch'))
    const stranger = createStranger(lab.mesh)
    const { header } = lab.rogue.hello()
    const act = (): Promise<void> => stranger.send(lab.counter.instance, header)
    expect(await lab.attack(act)).toEqual(refused('identity.credential-mismatch'))
  })

  it('an accepted owner issuing another owner’s name: has no say over it, whatever it signs', async () => {
    await using lab = await openAttackLab()
    const { random } = lab.mesh
    const [owner, issuer] = [createKeySigner(generateSeed(random)), createKeySigner(generateSeed(random))]
    const partner = { owner: owner.did, alias: 'globex', issues: ['globex/*'], roots: 'all' as const }
    const node = await lab.mesh.node('acme/broad', {
      anchors: [lab.mesh.issuer.anchor, partner],
      serves: [shop],
      serve: (one) => {
        one.serve(shop, soundServes)
      },
    })
    const sign = async (name: string, names: readonly string[]): Promise<Tokens> => ({
      statement: await resign(lab.rogue.issued.statement, owner, {
        claims: { iss: owner.did, issuer: issuer.did, names },
      }),
      credential: await resign(lab.rogue.issued.credential, issuer, { claims: { iss: issuer.did, name } }),
    })
    for (const [name, names] of [
      ['acme/desk', ['acme/*']],
      ['acme/desk', ['globex/*']],
      ['acme/desk', ['acme/desk', 'globex/*']],
    ] as const)
      expect(await greet(lab, await sign(name, names), node)).toEqual(refused('identity.name-not-owned'))
    // Its own names it may give.
    expect(await greet(lab, await sign('globex/desk', ['globex/*']), node)).toMatchObject({ codes: [], answers: 1 })
  })

  it('small-order key in a DID: is no instance, no issuer and no owner', async () => {
    await using lab = await openAttackLab()
    const identity = 'did:key:z6MkeXATEjyXENzBXBxgC5EHk2JE5aqd7qMGGtDpLUH1e2Sj'
    const { credential, statement } = lab.rogue.issued
    const { owner, issuerKey } = lab
    const cases = [
      [
        { statement, credential: await resign(credential, issuerKey, { claims: { instance: identity } }) },
        'identity.jwt-invalid',
      ],
      [
        { statement, credential: await resign(credential, issuerKey, { claims: { iss: identity } }) },
        'identity.key-unsafe',
      ],
      [
        { credential, statement: await resign(statement, owner, { claims: { issuer: identity } }) },
        'identity.jwt-invalid',
      ],
      [{ credential, statement: await resign(statement, owner, { claims: { iss: identity } }) }, 'identity.key-unsafe'],
    ] as const
    for (const [tokens, code] of cases) expect(await greet(lab, tokens)).toEqual(refused(code))
  })

  it('aliased did:key: in a token names nobody', async () => {
    await using lab = await openAttackLab()
    const { credential, statement } = lab.rogue.issued
    const alias = (did: string): string => `did:key:z1${did.slice('did:key:z'.length)}`
    const cases = [
      [
        {
          statement,
          credential: await resign(credential, lab.issuerKey, { claims: { instance: alias(lab.rogue.did) } }),
        },
        'identity.jwt-invalid',
      ],
      [
        {
          statement,
          credential: await resign(credential, lab.issuerKey, { claims: { iss: alias(lab.issuerKey.did) } }),
        },
        'identity.did-invalid',
      ],
      [
        { credential, statement: await resign(statement, lab.owner, { claims: { iss: alias(lab.owner.did) } }) },
        'identity.did-invalid',
      ],
    ] as const
    for (const [tokens, code] of cases) expect(await greet(lab, tokens)).toEqual(refused(code))
  })

  it('alg swapped: to none, to a secret that is the public key, or to another curve', async () => {
    await using lab = await openAttackLab()
    const { credential, statement } = lab.rogue.issued
    for (const alg of ['none', 'None', 'HS256', 'ES256', 'ES256K', 'Ed25519', 'eddsa', ['EdDSA'], undefined]) {
      const swapped = await resign(credential, lab.issuerKey, { header: { alg } })
      expect(await greet(lab, { statement, credential: swapped }), String(alg)).toEqual(refused('identity.jwt-invalid'))
      const [head, payload] = swapped.split('.')
      const bare = { statement, credential: `${head ?? ''}.${payload ?? ''}.` }
      expect(await greet(lab, bare), String(alg)).toEqual(refused('identity.jwt-invalid'))
    }
    const { did } = lab.issuerKey
    for (const header of [{ kid: did }, { jwk: {} }, { crit: ['exp'] }, { typ: 'JWT' }, { typ: 'parley-issuer+jwt' }]) {
      const pointed = await resign(credential, lab.issuerKey, { header })
      expect(await greet(lab, { statement, credential: pointed })).toEqual(refused('identity.jwt-invalid'))
    }
  })

  it('JWT without expiry: or with one that is no whole number of seconds, signed by the right issuer (T50)', async () => {
    await using lab = await openAttackLab()
    const { credential, statement } = lab.rogue.issued
    for (const exp of [undefined, null, '9999999999', 9_999_999_999.5, [9_999_999_999], 1e21, -1]) {
      const endless = { statement, credential: await resign(credential, lab.issuerKey, { claims: { exp } }) }
      expect(await greet(lab, endless), String(exp)).toEqual(refused('identity.jwt-invalid'))
      const endlessOwner = { credential, statement: await resign(statement, lab.owner, { claims: { exp } }) }
      expect(await greet(lab, endlessOwner), String(exp)).toEqual(refused('identity.jwt-invalid'))
    }
  })

  it('expired: by a second more than the skew of clocks, and a session that ends with it', async () => {
    await using lab = await openAttackLab()
    const { credential, statement } = lab.rogue.issued
    const nowSeconds = Math.floor(lab.mesh.clock.now() / 1_000)
    const times = { iat: nowSeconds - 600, nbf: nowSeconds - 600, exp: nowSeconds - 60 }
    const lapsed = { statement, credential: await resign(credential, lab.issuerKey, { claims: times }) }
    expect(await greet(lab, lapsed)).toEqual(refused('identity.credential-expired'))
    const lapsedStatement = { credential, statement: await resign(statement, lab.owner, { claims: times }) }
    expect(await greet(lab, lapsedStatement)).toEqual(refused('identity.credential-expired'))
    await lab.mesh.clock.advance(Number(claimsOf(credential)['exp']) * 1_000 - lab.mesh.clock.now())
    const act = async (): Promise<void> => lab.rogue.publish(lab.inbox(), await lab.frame(lab.buying(1)))
    expect(await lab.attack(act)).toEqual(refused('identity.credential-expired'))
  })

  it('over-long life: longer than the statement lets the issuer give', async () => {
    await using lab = await openAttackLab()
    const { credential, statement } = lab.rogue.issued
    const exp = Number(claimsOf(credential)['exp']) + 1
    const long = { statement, credential: await resign(credential, lab.issuerKey, { claims: { exp } }) }
    expect(await greet(lab, long)).toEqual(refused('identity.issuer-refused'))
  })

  it('duplicate JSON key: in a token, signed by the right issuer', async () => {
    await using lab = await openAttackLab()
    const { credential, statement } = lab.rogue.issued
    const [header = '', payload = ''] = credential.split('.').map((part) => Buffer.from(part, 'base64url').toString())
    for (const [head, claims] of [
      [header, payload.replace('{', '{"name":"acme/desk",')],
      [header, payload.replace(/}$/, ',"name":"acme/desk"}')],
      [header.replace('{', '{"alg":"none",'), payload],
      [header, payload.replace(':', ': ')],
    ] as const) {
      const twice = await signTexts(lab.issuerKey, head, claims)
      expect(await greet(lab, { statement, credential: twice })).toEqual(refused('identity.jwt-invalid'))
    }
  })

  it('oversize everything: in the claims of a token', async () => {
    await using lab = await openAttackLab()
    const { credential, statement } = lab.rogue.issued
    const calls = Array.from({ length: 257 }, (_, at) => `shop:o${String(at)}`)
    const wide = { statement, credential: await resign(credential, lab.issuerKey, { claims: { calls } }) }
    expect(await greet(lab, wide)).toEqual(refused('identity.jwt-invalid'))
    const deep = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) as unknown
    const nested = { statement, credential: await resign(credential, lab.issuerKey, { claims: { jti: deep } }) }
    expect(await greet(lab, nested)).toEqual(refused('identity.jwt-invalid'))
  })

  it('credential passed off as delegation: and as its own statement, and a delegation as credential', async () => {
    await using lab = await openAttackLab()
    const { credential, statement } = lab.rogue.issued
    const [link = ''] = await lab.mesh.issuer.delegate({ to: 'acme/rogue', capabilities: ['shop:buy'], forMs: 60_000 })
    for (const tokens of [
      { credential: link, statement },
      { credential, statement: link },
      { credential: statement, statement },
      { credential, statement: credential },
    ])
      expect(await greet(lab, tokens)).toEqual(refused('identity.jwt-invalid'))
    for (const [counter, token] of [credential, statement].entries()) {
      const bytes = await lab.frame(lab.buying(counter + 1, { chain: 'A'.repeat(43), links: [token] }))
      expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toEqual(refused('delegation.invalid'))
    }
  })
})
