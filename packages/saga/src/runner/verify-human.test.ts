import { createAnchors, createLocalIssuer, generateInstanceKeys, signDeclaration } from '@parley/identity'
import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createHumanVerifier, sagaPurpose, type HumanVerification } from './verify-human.ts'

const clock = createManualClock()
const random = createSeededRandom(33)
const [acme, globex] = ['acme', 'globex'].map((alias) =>
  createLocalIssuer({ alias, clock, random, allow: { [`${alias}/gus`]: { serves: [], calls: [], human: 2 } } }),
) as [ReturnType<typeof createLocalIssuer>, ReturnType<typeof createLocalIssuer>]

/** What a person of an owner says about a saga of `acme/desk`. */
async function declare(issuer: typeof acme, name: `${string}/gus`): Promise<string> {
  const { signer } = generateInstanceKeys(random)
  const issued = await issuer.issue({ name, instance: signer.did, serves: [], calls: [] })
  const content = { agent: 'acme/desk', saga: 'g1', decision: 'abort', reason: 'ours now' }
  const issuedAtMs = clock.now()
  const said = { id: 'd1', purpose: sagaPurpose, content, issuedAtMs, expiresAtMs: issuedAtMs + 60_000 }
  return signDeclaration({ signer, ...issued }, said)
}

describe('createHumanVerifier', () => {
  const hear = (more: Partial<HumanVerification> = {}): ReturnType<typeof createHumanVerifier> =>
    createHumanVerifier({
      // The anchors of a mesh: globex serves steps, and vouches for whom it likes.
      anchors: createAnchors([acme.anchor, globex.anchor]),
      now: clock.now,
      owner: acme.owner,
      ...more,
    })

  it('hears no person of another owner about sagas, though the anchors vouch for them', async () => {
    expect(hear()(await declare(globex, 'globex/gus'))).toMatchObject({
      kind: 'deny',
      code: 'saga.decision-refused',
      reason: expect.stringContaining('globex/gus') as string,
    })
    expect(hear()(await declare(acme, 'acme/gus'))).toMatchObject({ kind: 'allow', order: { saga: 'g1' } })
  })

  it('hears those whom it is told to: further owners by name, and of all of them whom `who` lets', async () => {
    const both = { deciders: [globex.owner] }
    expect(hear(both)(await declare(globex, 'globex/gus'))).toMatchObject({ kind: 'allow' })
    expect(hear(both)(await declare(acme, 'acme/gus'))).toMatchObject({ kind: 'allow' })
    const onlyOurs = { ...both, who: (name: string) => name.startsWith('acme/') }
    expect(hear(onlyOurs)(await declare(globex, 'globex/gus'))).toMatchObject({ code: 'saga.decision-refused' })
    expect(hear({ who: () => true })(await declare(globex, 'globex/gus'))).toMatchObject({ kind: 'deny' })
  })
})
