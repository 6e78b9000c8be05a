import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashChain } from '@parley/identity'
import type { CallOptions, Hop, Outcome } from '@parley/mesh'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { agencyChain, endOf, flights, openAgency, type AgencyMesh } from './agency.ts'
import { createRogue, type Received, type Rogue } from './rogue.ts'

const spent = 'delegation.allowance-spent'
const eur = (amount: string): { amount: string; currency: string } => ({ amount, currency: 'EUR' })

/** Serves that say what each call used. */
const using = (amount: string) => ({
  serves: {
    async reserve(_: unknown, hop: Pick<Hop, 'use'>) {
      await hop.use({ money: eur(amount), tokens: 10 })
      return { seat: '12A' }
    },
  },
})

async function endsOf(open: AgencyMesh, count: number, options: CallOptions): Promise<readonly string[]> {
  const ends: string[] = []
  for (let call = 0; call < count; call++) ends.push(endOf(await open.reserve(options)))
  return ends
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-allowance-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('an allowance', () => {
  it('of calls ends, and what goes beyond is never sent', async () => {
    await using open = await openAgency()
    const delegation = await agencyChain(open.mesh, { allowance: { calls: 2 } })
    expect(await endsOf(open, 3, { delegation })).toEqual(['ok', 'ok', spent])
    expect(open.reserved).toHaveLength(2)
    expect((await open.hopsOf(open.desk)).at(-1)).toMatchObject({ stage: 'allowance', sent: false })
  })

  it('is not exceeded by calls at the same time', async () => {
    await using open = await openAgency()
    const delegation = await agencyChain(open.mesh, { allowance: { calls: 5 } })
    const outcomes: Outcome[] = await Promise.all(Array.from({ length: 40 }, () => open.reserve({ delegation })))
    expect(outcomes.filter(({ kind }) => kind === 'ok')).toHaveLength(5)
    expect(outcomes.filter((outcome) => endOf(outcome) === spent)).toHaveLength(35)
    expect(open.reserved).toHaveLength(5)
  })

  it('that was spent stays spent after a restart of the delegate', async () => {
    const data = join(folder, 'desk.sqlite')
    await using open = await openAgency(undefined, { desk: { data } })
    const delegation = await agencyChain(open.mesh, { allowance: { calls: 1 } })
    expect(await endsOf(open, 2, { delegation })).toEqual(['ok', spent])
    await open.desk.close()
    const again = await open.mesh.node('acme/desk', { data, calls: [flights.reserve] })
    const outcome = await again.tryCall(flights.reserve, { to: 'SFO', amount: 1 }, { delegation })
    expect(endOf(outcome)).toBe(spent)
    expect(open.reserved).toHaveLength(1)
  })

  it('of money is taken off before the call and settled by what the reply says', async () => {
    await using open = await openAgency(undefined, using('30.25'))
    const delegation = await agencyChain(open.mesh, { allowance: { money: eur('100'), tokens: 1_000 } })
    const options = { delegation, spend: { money: eur('39.25'), tokens: 20 } }
    expect(await endsOf(open, 3, options)).toEqual(['ok', 'ok', 'ok'])
    // 100 − 3 × 30.25 = 9.25
    expect(await endsOf(open, 1, options)).toEqual([spent])
    const outcome = await open.reserve({ delegation, spend: { money: eur('9.25'), tokens: 20 } })
    expect(outcome.hop.usage).toEqual({ tokens: 10, money: eur('30.25') })
    expect(await endsOf(open, 1, { delegation, spend: { money: eur('0.01'), tokens: 1 } })).toEqual([spent])
    expect((await open.hopsOf(open.desk))[0]).toMatchObject({
      usedAmount: '30.25',
      usedCurrency: 'EUR',
      usedTokens: 10,
    })
    expect((await open.hopsOf(open.planes))[0]).toMatchObject({ usedAmount: '30.25', usedTokens: 10 })
  })

  it('lends all that is left to a call that does not say how much it may use', async () => {
    await using open = await openAgency(undefined, using('30'))
    const delegation = await agencyChain(open.mesh, { allowance: { money: eur('100') } })
    const both = await Promise.all([open.reserve({ delegation }), open.reserve({ delegation })])
    expect(both.map(endOf)).toEqual(['ok', spent])
    expect(await endsOf(open, 4, { delegation })).toEqual(['ok', 'ok', 'ok', spent])
  })

  it('is given back by a refusal, and kept by an outcome that nobody knows', async () => {
    let isBroken = true
    await using open = await openAgency(undefined, {
      serves: {
        reserve() {
          if (isBroken) throw new Error('broken')
          return { seat: '1A' }
        },
      },
    })
    const delegation = await agencyChain(open.mesh, { allowance: { calls: 2 }, constraints: { to: { in: ['SFO'] } } })
    const elsewhere = await open.desk.tryCall(flights.reserve, { to: 'LAX', amount: 1 }, { delegation })
    expect(endOf(elsewhere)).toBe('delegation.constraint-violated')
    expect(await endsOf(open, 1, { delegation })).toEqual(['contract.handler-failed'])
    isBroken = false
    expect(await endsOf(open, 2, { delegation })).toEqual(['ok', spent])
  })

  it('that is split is gone from who handed it on, and bounds who got it', async () => {
    const ends: string[] = []
    await using open = await openAgency(async (hop) => {
      for (let call = 0; call < 4; call++)
        ends.push(endOf(await hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 })))
      return hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 })
    })
    const delegation = await agencyChain(open.mesh, { allowance: { calls: 4 } })
    const share: CallOptions = { delegate: [flights.reserve], delegateFrom: delegation, allowance: { calls: 3 } }
    expect(await open.plan(share)).toBe(spent)
    expect(ends).toEqual(['ok', 'ok', 'ok', spent])
    expect(await open.plan(share)).toBe(spent)
    expect(await endsOf(open, 2, { delegation })).toEqual(['ok', spent])
    expect(open.reserved).toHaveLength(4)
  })

  it('cannot be handed on without a bound', async () => {
    await using open = await openAgency()
    const delegateFrom = await agencyChain(open.mesh, { allowance: { calls: 4 } })
    expect(await open.plan({ delegate: [flights.reserve], delegateFrom })).toBe('delegation.widened')
    expect(await endsOf(open, 1, { delegation: delegateFrom })).toEqual(['ok'])
  })
})

describe('a share that names its callee', () => {
  /** Sends a request under a chain without any node that would count. */
  async function send(open: AgencyMesh, cheat: Rogue, session: string, counter: number, links: readonly string[]) {
    const header = { chain: hashChain(links), links }
    const body = { to: 'SFO', amount: 1 }
    const planes = cheat.request(session, counter, flights.reserve, { header, body })
    const answers = (): readonly Received[] =>
      cheat.inbox.filter(({ header: { type } }) => type === 'reply' || type === 'refusal')
    const before = answers().length
    await cheat.send(open.planes.instance, planes)
    // The counter is written to a file, which takes as long as the disk is busy.
    for (const untilMs = performance.now() + 10_000; answers().length === before && performance.now() < untilMs;) {
      await new Promise((resolve) => setImmediate(resolve))
      await open.mesh.clock.settle()
    }
    const told = answers().at(-1)?.body as { readonly outcome: { readonly kind: string; readonly code?: string } }
    return told.outcome.code ?? told.outcome.kind
  }

  const chainFor = (open: AgencyMesh, at: `${string}/${string}`): Promise<readonly string[]> =>
    agencyChain(open.mesh, {
      to: 'acme/cheat',
      allowance: { calls: 2, money: eur('50'), at: { owner: open.mesh.issuer.owner, name: at } },
    })

  it('is counted there, whatever the delegate does, also after a restart', async () => {
    const data = join(folder, 'planes.sqlite')
    await using open = await openAgency(undefined, { planes: { data } })
    const cheat = await createRogue(open.mesh, 'acme/cheat', { calls: ['flights:reserve'] })
    const links = await chainFor(open, 'acme/flights')
    const session = await cheat.shake(open.planes.instance)
    const ends: string[] = []
    for (const counter of [1, 2, 3]) ends.push(await send(open, cheat, session, counter, links))
    expect(ends).toEqual(['ok', 'ok', spent])
    await open.planes.close()
    const again = await open.mesh.node('acme/flights', {
      data,
      serves: [flights],
      serve(node) {
        node.serve(flights, { reserve: () => ({ seat: '1A' }), cancel: () => ({}) })
      },
    })
    const reopened = { ...open, planes: again, [Symbol.asyncDispose]: () => Promise.resolve() }
    const second = await cheat.shake(again.instance)
    expect(await send(reopened, cheat, second, cheat.inbox.length, links)).toBe(spent)
    expect(open.reserved).toHaveLength(2)
  })

  it('is refused by every other callee', async () => {
    await using open = await openAgency()
    const cheat = await createRogue(open.mesh, 'acme/cheat', { calls: ['flights:reserve'] })
    const session = await cheat.shake(open.planes.instance)
    expect(await send(open, cheat, session, 1, await chainFor(open, 'acme/agency'))).toBe('delegation.wrong-callee')
    expect(open.reserved).toHaveLength(0)
  })

  it('stops a handler that would use more, before the effect', async () => {
    let effects = 0
    await using open = await openAgency(undefined, {
      serves: {
        async reserve({ amount }, hop) {
          await hop.use({ money: eur(String(amount)) })
          effects += 1
          if (amount === 30) await hop.use({ money: eur('21') })
          return { seat: '12A' }
        },
      },
    })
    const at = { owner: open.mesh.issuer.owner, name: 'acme/flights' as const }
    const delegation = await agencyChain(open.mesh, { allowance: { money: eur('50'), at } })
    const call = async (amount: number): Promise<string> =>
      endOf(await open.desk.tryCall(flights.reserve, { to: 'SFO', amount }, { delegation, spend: { money: eur('0') } }))
    expect(await call(51)).toBe(spent)
    expect(effects).toBe(0)
    // The second use comes after an effect: what was done is for nobody to say.
    expect(await call(30)).toBe('contract.handler-failed')
    expect(effects).toBe(1)
    expect(await call(20)).toBe('ok')
    expect(await call(1)).toBe(spent)
  })
})
