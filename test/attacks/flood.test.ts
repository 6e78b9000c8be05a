import { hashChain } from '@parley/identity'
import { limits } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { openAttackLab, type AttackLab } from './attack-lab.ts'
import { resign } from './tokens.ts'

// One signature over a frame may bring 64 envelopes, and each of them tokens: whoever has a session pays for them, too.

/** More frames than the bucket of one sender has room for. */
const frames = 60

/** How many checks a flood of bundles costs in no time at all, and with what it was refused. */
async function flood(lab: AttackLab, bundle: (frame: number) => Promise<Uint8Array>) {
  const bundles = await Promise.all(Array.from({ length: frames }, (_, frame) => bundle(frame)))
  return lab.attack(async () => {
    await Promise.all(bundles.map((bytes) => lab.rogue.publish(lab.inbox(), bytes)))
  })
}

describe('a flood of tokens by a peer that has a session', () => {
  it('flood of tokens: chains that fail at their last signature cost no more checks than the limit (T40)', async () => {
    await using lab = await openAttackLab()
    const { issuer } = lab.mesh
    const root = await issuer.delegate({ to: 'acme/rogue', capabilities: ['shop:buy'], forMs: 600_000 })
    const self = { owner: issuer.owner, name: 'acme/rogue' }
    const { credential, statement } = lab.rogue.issued
    let links: readonly string[] = root
    for (let depth = 1; depth < 4; depth++) {
      const bound = { iss: lab.rogue.did, delegator: self, delegate: self, parent: hashChain(links) }
      links = [...links, await resign(root[0] ?? '', lab.rogue.signer, { claims: { ...bound, credential, statement } })]
    }
    const last = links.at(-1) ?? ''
    const forged = [...links.slice(0, -1), `${last.slice(0, -86)}${(root[0] ?? '').slice(-86)}`]
    const chain = { chain: hashChain(forged), links: forged }
    const impact = await flood(lab, (frame) =>
      lab.frame(...Array.from({ length: 8 }, (_, at) => lab.buying(frame * 8 + at + 1, chain))),
    )
    expect(impact.delivered).toEqual([])
    const codes = new Set(impact.codes.map((code) => code.replace(/=\d+$/, '')))
    expect(codes).toEqual(new Set(['delegation.invalid', 'iatp.sender-limited']))
    expect(impact.checks).toBeLessThanOrEqual(limits.signaturesPerSecond)
  })

  it('flood of tokens: credentials that another key signed cost no more checks than the limit', async () => {
    await using lab = await openAttackLab()
    const { credential, statement } = lab.rogue.issued
    const forged = await resign(credential, lab.rogue.signer, {})
    const impact = await flood(lab, () =>
      lab.frame(
        ...Array.from({ length: 32 }, () => {
          const { header } = lab.rogue.hello({ credential: forged, statement })
          return { header: { to: lab.counter.instance, ...header } }
        }),
      ),
    )
    expect(impact).toMatchObject({ delivered: [], effects: [], trust: [] })
    expect(impact.checks).toBeLessThanOrEqual(limits.signaturesPerSecond)
    expect(impact.codes.join()).toContain('iatp.sender-limited')
    expect((await lab.buy()).kind).toBe('ok')
  })

  it('flood of tokens: orders of owners that nobody accepts cost no check at all', async () => {
    await using lab = await openAttackLab()
    const signed = await lab.mesh.issuer.order('revoke', 'acme/nobody')
    const { did } = lab.rogue
    const foreign = await Promise.all(
      Array.from({ length: 32 }, (_, at) =>
        resign(signed, lab.rogue.signer, { claims: { iss: did, sequence: 1, previous: undefined, jti: String(at) } }),
      ),
    )
    await lab.desk.close()
    const impact = await lab.attack(() => lab.rogue.emit('orders', { orders: foreign, heads: foreign.slice(0, 16) }))
    // That of the frame: its credential is known.
    expect(impact).toMatchObject({ delivered: [], effects: [], checks: 1, answers: 0 })
  })

  it('flood of tokens: forged orders of an owner that is accepted cost four checks a telling, and twenty tellings are heard', async () => {
    await using lab = await openAttackLab()
    const signed = await lab.mesh.issuer.order('revoke', 'acme/nobody')
    const tellings = await Promise.all(
      Array.from({ length: 30 }, async (_, telling) => {
        const forged = Array.from({ length: 48 }, (_token, at) =>
          resign(signed, lab.rogue.signer, { claims: { sequence: 1, jti: `${String(telling)}-${String(at)}` } }),
        )
        const tokens = await Promise.all(forged)
        return { orders: tokens.slice(0, 32), heads: tokens.slice(32) }
      }),
    )
    await lab.desk.close()
    const impact = await lab.attack(async () => {
      await Promise.all(tellings.map((telling) => lab.rogue.emit('orders', telling)))
    })
    expect(impact).toMatchObject({ delivered: [], effects: [], answers: 0 })
    expect(impact.checks).toBeGreaterThan(80)
    expect(impact.checks).toBeLessThanOrEqual(30 + 20 * 4)
    expect(impact.codes.join()).toContain('iatp.sender-limited')
    // The order itself came from the issuer meanwhile.
    expect(await lab.counter.acceptOrder(signed)).toMatchObject({ code: 'identity.order-stale' })
  })
})
