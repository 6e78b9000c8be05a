import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createAnchors } from '../credential/anchor.ts'
import { createLocalIssuer } from '../issuer/local-issuer.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { hashChain } from './chain-hash.ts'
import { verifyDelegationChain } from './delegation-chain.ts'
import { extendDelegation, type Delegation } from './delegation.ts'
import { decideLabels } from './labels.ts'

const random = createSeededRandom(4)
const clock = createManualClock()
const acme = createLocalIssuer({ alias: 'acme', clock, random })
const anchors = createAnchors([acme.anchor])
const signer = createKeySigner(generateSeed(random))
const issued = await acme.issue({ name: 'acme/trips', instance: signer.did, serves: [], calls: [] })
const agent = { owner: acme.owner, name: 'acme/trips' } as const
const delegate = { owner: acme.owner, name: 'acme/flights' } as const
const root = await acme.delegate({
  to: 'acme/trips',
  capabilities: ['flights:reserve'],
  labels: ['pii'],
  forMs: 600_000,
})
const further = (labels?: readonly string[]): Delegation => ({
  id: 'second',
  delegate,
  capabilities: ['flights:reserve'],
  ...(labels ? { labels } : {}),
  notBeforeMs: clock.now(),
  expiresAtMs: clock.now() + 60_000,
})
const verify = (links: readonly string[]): ReturnType<typeof verifyDelegationChain> =>
  verifyDelegationChain(links, { anchors, nowMs: clock.now(), delegate })

describe('labels of a chain', () => {
  it('are those of all its links', async () => {
    const links = await extendDelegation(root, further(['eu-only']), { ...issued, signer, agent })
    expect(verify(links)).toMatchObject({ kind: 'allow', chain: { labels: ['pii', 'eu-only'] } })
    const plain = await extendDelegation(root, further(), { ...issued, signer, agent })
    expect(verify(plain)).toMatchObject({ kind: 'allow', chain: { labels: ['pii'] } })
  })

  it.each([[undefined], [[]], [['eu-only']]])(
    'cannot lose one at a link, whoever signs it with labels %j',
    async (labels) => {
      const seconds = clock.now() / 1000
      const forged = await signJwt(signer, jwtTypes.delegation, {
        iat: seconds,
        nbf: seconds,
        exp: seconds + 60,
        jti: 'forged',
        delegate,
        capabilities: ['flights:reserve'],
        labels,
        delegator: agent,
        parent: hashChain(root),
        credential: issued.credential,
        statement: issued.statement,
      })
      expect(verify([...root, forged])).toMatchObject({ kind: 'deny', code: 'delegation.label-removed' })
    },
  )

  it('are refused where they are no set', async () => {
    for (const labels of [['a', 'a'], [''], Array.from({ length: 33 }, (_, at) => String(at))])
      await expect(
        acme.delegate({ to: 'acme/trips', capabilities: ['flights:reserve'], labels, forMs: 1_000 }),
      ).rejects.toMatchObject({ code: 'delegation.invalid' })
  })
})

describe('decideLabels', () => {
  it('allows what has all of them, in any order', () => {
    expect(decideLabels(['a', 'b'], ['c', 'b', 'a'])).toEqual({ kind: 'allow' })
    expect(decideLabels(['a', 'b'], ['a'])).toMatchObject({ kind: 'deny', code: 'delegation.label-removed' })
  })
})
