import { createManualClock } from '@parley/ports'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from './memory-store.fixture.ts'
import { createToySigner, openTrustLab, peer, type TrustLab } from './trust-lab.fixture.ts'

const hourMs = 3_600_000
const yearMs = 365 * 24 * hourMs
const attacker = 'did:web:evil.example'

/** What docs/trust-attacks.md says each attack reaches. */
const stated: ReadonlyMap<string, number> = readStated()

function readStated(): Map<string, number> {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/trust-attacks.md'), 'utf8')
  return new Map(
    [...page.matchAll(/^\| `([a-z-]+)` \|.*\| (-?\d+) \|$/gm)].map(([, name = '', value = '']) => [
      name,
      Number(value),
    ]),
  )
}

/** Lets an agent earn the tier that it has after many good calls over some days. */
function earn(lab: TrustLab, agent: string, calls = 600): void {
  for (let call = 0; call < calls; call++) {
    lab.observe({ peer: agent })
    lab.clock.jump(hourMs / 6)
  }
}

function attest(lab: TrustLab, by: string, score: number, about = peer): string {
  const nowMs = lab.clock.now()
  const verdict = lab.ledger.attest({
    rater: by,
    peer: about,
    score,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + yearMs / 2,
    token: `${by} ${String(score)}`,
  })
  return verdict.kind === 'deny' ? verdict.code : 'taken'
}

describe('the best that an attack on trust reaches', () => {
  it('by Sybils: a thousand names of one owner that praise a peer, all of them verified here', async () => {
    const lab = await openTrustLab()
    lab.observe({})
    const before = lab.ledger.view(peer).score
    for (let name = 0; name < 16; name++) {
      const sybil = `${attacker} evil/s${String(name)}`
      earn(lab, sybil, 510)
      expect(attest(lab, sybil, 1000)).toBe('taken')
    }
    for (let name = 16; name < 1000; name++)
      expect(attest(lab, `${attacker} evil/s${String(name)}`, 1000)).toBe('trust.entry-refused')
    expect(lab.ledger.view(peer).score - before).toBe(stated.get('sybils'))
  })

  it('by fresh Sybils, which nobody here has dealt with', async () => {
    const lab = await openTrustLab()
    lab.observe({})
    const before = lab.ledger.view(peer).score
    for (let name = 0; name < 16; name++) attest(lab, `${attacker} evil/s${String(name)}`, 1000)
    expect(lab.ledger.view(peer).score - before).toBe(stated.get('fresh-sybils'))
  })

  it('by collusion: sixteen owners, each with a verified agent, praise a peer that fell', async () => {
    const lab = await openTrustLab()
    lab.observe({ outcome: 'failed' }, 4)
    const before = lab.ledger.view(peer)
    for (let owner = 0; owner < 16; owner++) {
      const friend = `did:web:friend${String(owner)}.example friend/a`
      earn(lab, friend, 510)
      attest(lab, friend, 1000)
    }
    const after = lab.ledger.view(peer)
    expect(after.score - before.score).toBe(stated.get('collusion'))
    expect(after.tier).toBe(before.tier)
  })

  it('by slander: sixteen owners, each with a verified agent, run a good peer down', async () => {
    const lab = await openTrustLab()
    earn(lab, peer)
    for (let owner = 0; owner < 16; owner++) earn(lab, `did:web:liar${String(owner)}.example liar/a`, 510)
    lab.observe({})
    const before = lab.ledger.view(peer).score
    for (let owner = 0; owner < 16; owner++) attest(lab, `did:web:liar${String(owner)}.example liar/a`, 0)
    expect(before - lab.ledger.view(peer).score).toBe(stated.get('slander'))
  })

  it('by slander of one owner, however many names it has', async () => {
    const lab = await openTrustLab()
    for (let name = 0; name < 16; name++) earn(lab, `${attacker} evil/s${String(name)}`, 510)
    lab.observe({})
    const before = lab.ledger.view(peer).score
    for (let name = 0; name < 16; name++) attest(lab, `${attacker} evil/s${String(name)}`, 0)
    expect(before - lab.ledger.view(peer).score).toBe(stated.get('slander-by-one-owner'))
  })

  it('by praise of oneself and of names of the same owner', async () => {
    const lab = await openTrustLab()
    const before = lab.ledger.view(peer).score
    expect(attest(lab, peer, 1000)).toBe('trust.attestation-refused')
    expect(attest(lab, 'did:web:sky.example sky/other', 1000)).toBe('trust.attestation-refused')
    expect(lab.ledger.view(peer).score - before).toBe(stated.get('self-praise'))
  })

  it('by whitewashing with a new key: the record belongs to the name', async () => {
    const lab = await openTrustLab()
    lab.observe({ outcome: 'failed' }, 30)
    const before = lab.ledger.view(peer).score
    await lab.ledger.close()
    const again = await lab.reopen({ signer: createToySigner('did:key:zNext') })
    await again.enter(peer)
    expect(again.view(peer).score - before).toBe(stated.get('new-key'))
  })

  it('by whitewashing with a crash of the rater right after the evidence was durable', async () => {
    const lab = await openTrustLab()
    lab.observe({ outcome: 'failed' }, 30)
    const before = lab.ledger.view(peer).score
    await lab.ledger.flush()
    const again = await lab.reopen({ store: lab.store.copy() })
    expect(again.view(peer).score - before).toBe(stated.get('crash'))
  })

  it('by whitewashing with a deleted record: the ledger does not open', async () => {
    const lab = await openTrustLab()
    for (let call = 0; call < 5; call++) {
      lab.observe({ outcome: 'failed' })
      await lab.ledger.flush()
    }
    await lab.ledger.close()
    const entries = await lab.store.journal.read('trust')
    let opened = 0
    for (const gone of entries) {
      const store = createMemoryStore()
      for (const { data, position } of entries) if (position !== gone.position) store.plant('trust', data)
      for (const { key, value } of await lab.store.keyValue.list('')) await store.keyValue.put(key, value)
      opened += await lab.reopen({ store }).then(
        () => 1,
        () => 0,
      )
    }
    expect(opened).toBe(stated.get('deleted-record'))
  })

  it('by minting new names after the first ones were ruined', async () => {
    const lab = await openTrustLab()
    for (const name of ['a', 'b', 'c']) lab.observe({ peer: `${attacker} evil/${name}`, outcome: 'failed' }, 30)
    const best = lab.ledger.view(`${attacker} evil/fresh`).score
    expect(best).toBe(stated.get('minted-name'))
    expect(lab.ledger.view('did:web:honest.example honest/fresh').score).toBe(500)
  })

  it('by minting without an anchor', async () => {
    const lab = await openTrustLab({ isVouched: () => false })
    expect(lab.ledger.view(`${attacker} evil/fresh`).score).toBe(stated.get('minted-stranger'))
  })

  it('by grinding: a burst of ten thousand good calls within an hour', async () => {
    const lab = await openTrustLab()
    for (let call = 0; call < 10_000; call++) {
      lab.observe({})
      lab.clock.jump(hourMs / 10_000)
      if (call % 1000 === 0) await lab.ledger.flush()
    }
    expect(lab.ledger.view(peer).score).toBe(stated.get('grinding'))
  })

  it('by grinding on cheap calls to be trusted with a dear one: calls that may fail until trust is gone', async () => {
    const lab = await openTrustLab()
    earn(lab, peer)
    expect(lab.ledger.view(peer).tier).toBe('verified')
    let dear = 0
    for (; lab.ledger.view(peer, { capability: 'payments:charge' }).score >= 700 && dear < 100; dear++)
      lab.observe({ outcome: 'failed', capability: 'payments:charge' })
    expect(dear).toBe(stated.get('betrayal'))
  })

  it('by one failure in ten for ever', async () => {
    const lab = await openTrustLab()
    let best = 0
    for (let call = 0; call < 3000; call++) {
      lab.observe({ outcome: call % 10 === 9 ? 'failed' : 'ok' })
      lab.clock.jump(hourMs / 10)
      if (call > 1000) best = Math.max(best, lab.ledger.view(peer).score)
    }
    expect(best).toBe(stated.get('one-in-ten'))
  })

  it('by talking much and then failing on purpose: calls that fail before the peer is put apart', async () => {
    const lab = await openTrustLab()
    for (let call = 0; call < 20_000; call++) {
      lab.observe({})
      lab.clock.jump(hourMs / 100)
      if (call % 1000 === 0) await lab.ledger.flush()
    }
    let failures = 0
    for (; lab.ledger.admit(peer).kind === 'allow' && failures < 100; failures++) lab.observe({ outcome: 'failed' })
    expect(failures).toBe(stated.get('failing-on-purpose'))
  })

  it('by evidence of another owner that is shared ten thousand times over', async () => {
    const lab = await openTrustLab({ isShared: true })
    const other = `${attacker} evil/rater`
    earn(lab, other, 510)
    lab.observe({})
    const before = lab.ledger.view(peer).score
    const theirs = await openTrustLab({
      rater: other,
      isShared: true,
      signer: createToySigner('did:key:zEvil'),
      clock: createManualClock(lab.clock.now()),
    })
    for (let batch = 0; batch < 10; batch++) {
      theirs.observe({ outcome: 'failed' }, 1000)
      await theirs.ledger.flush()
    }
    for (const sealed of theirs.shared) await lab.ledger.takeShared(sealed, { rater: other, did: 'did:key:zEvil' })
    expect(before - lab.ledger.view(peer).score).toBe(stated.get('shared-slander'))
  })

  it('by contagion, where it is on: a good name whose owner has a thousand bad ones', async () => {
    const bad = Array.from({ length: 1000 }, (_, name) => `did:web:sky.example sky/bad${String(name)}`)
    const lab = await openTrustLab({ answersFor: (key) => (key === peer ? bad : []) })
    lab.observe({})
    const alone = await openTrustLab()
    alone.observe({})
    for (const name of bad) for (let call = 0; call < 18; call++) lab.observe({ peer: name, outcome: 'failed' })
    expect(alone.ledger.view(peer).score - lab.ledger.view(peer).score).toBe(stated.get('contagion'))
  })

  it('is stated for nothing that no test computes', () => {
    const source = readFileSync(import.meta.filename, 'utf8')
    for (const name of stated.keys()) expect(source).toContain(`stated.get('${name}')`)
  })
})
