import { createKeySigner, extendDelegation, generateSeed, hashChain, jwtTypes, signJwt } from '@parley/identity'
import type { BodyStore } from '@parley/ports'
import { limits } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { agencyChain, endOf, flights, openAgency, trips } from './agency.ts'
import { createRogue } from './rogue.ts'
import { tapWire } from './wire.ts'

const minute = 60_000

describe('constraints of a chain', () => {
  it('are held against the input at the callee, before anything is done', async () => {
    await using open = await openAgency()
    const delegation = await open.mesh.issuer.delegate({
      to: 'acme/desk',
      capabilities: ['flights:reserve'],
      constraints: { to: { in: ['SFO'] }, amount: { max: 500 } },
      forMs: minute,
    })
    const call = async (input: { to: string; amount: number }): Promise<string> =>
      endOf(await open.desk.tryCall(flights.reserve, input, { delegation }))
    expect(await call({ to: 'SFO', amount: 500 })).toBe('ok')
    expect(await call({ to: 'LAX', amount: 5 })).toBe('delegation.constraint-violated')
    expect(await call({ to: 'SFO', amount: 501 })).toBe('delegation.constraint-violated')
    expect(open.reserved).toHaveLength(1)
    expect((await open.hopsOf(open.planes)).map(({ stage }) => stage)).toEqual([undefined, 'arguments', 'arguments'])
  })

  it('are held also against a body that is encrypted, or that travels by reference', async () => {
    const kept: Uint8Array[] = []
    const bodies: BodyStore = {
      put: (body) => Promise.resolve(String(kept.push(body) - 1)),
      get: (where) => Promise.resolve(kept[Number(where)]),
    }
    for (const [more, isKept] of [
      [{ sealBodies: true }, false],
      [{ bodies }, true],
    ] as const) {
      await using open = await openAgency(undefined, { planes: more, desk: more })
      const big = `SFO${'x'.repeat(limits.bodyBytes)}`
      const to = isKept ? big : 'SFO'
      const delegation = await agencyChain(open.mesh, { constraints: { amount: { max: 500 } } })
      const call = async (amount: number): Promise<string> =>
        endOf(await open.desk.tryCall(flights.reserve, { to, amount }, { delegation }))
      expect([await call(501), await call(500)]).toEqual(['delegation.constraint-violated', 'ok'])
      expect(open.reserved).toHaveLength(1)
      expect(kept.length > 0).toBe(isKept)
    }
  })

  it('of a kind that the callee does not know refuse, as a link of a later version may have them', async () => {
    await using open = await openAgency()
    const later = await createRogue(open.mesh, 'acme/later', { calls: ['flights:reserve'] })
    const signer = createKeySigner(generateSeed(open.mesh.random))
    const seconds = Math.floor(open.mesh.clock.now() / 1000)
    const link = await signJwt(signer, jwtTypes.delegation, {
      iat: seconds,
      nbf: seconds,
      exp: seconds + 60,
      jti: 'later',
      delegate: { owner: open.mesh.issuer.owner, name: 'acme/later' },
      capabilities: ['flights:reserve'],
      constraints: { to: { in: ['SFO'], matches: '^S' } },
      delegator: signer.did,
    })
    const session = await later.shake(open.planes.instance)
    const header = { chain: hashChain([link]), links: [link] }
    const body = { to: 'SFO', amount: 1 }
    await later.send(open.planes.instance, later.request(session, 1, flights.reserve, { header, body }))
    expect(later.last().body).toMatchObject({ outcome: { code: 'delegation.constraint-unknown' } })
    expect(open.reserved).toHaveLength(0)
  })
})

describe('a handler that calls on', () => {
  it('is refused what its caller did not hand on, though its own credential grants it', async () => {
    await using open = await openAgency()
    expect(await open.plan()).toBe('delegation.not-handed-on')
    expect(open.reserved).toHaveLength(0)
    expect((await open.hopsOf(open.agency)).find(({ side }) => side === 'caller')).toMatchObject({
      outcome: 'refused',
      stage: 'delegation',
      sent: false,
    })
  })

  it('is refused through its node as through its hop, also after an await and a turn', async () => {
    await using open = await openAgency(async (_, agency) => {
      await Promise.resolve()
      await new Promise((resolve) => setImmediate(resolve))
      return agency.tryCall(flights.reserve, { to: 'SFO', amount: 1 })
    })
    expect(await open.plan()).toBe('delegation.not-handed-on')
  })

  it("acts in its node's own right only where it says so", async () => {
    await using open = await openAgency((hop) =>
      hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 }, { authority: 'own' }),
    )
    expect(await open.plan()).toBe('ok')
    expect(open.reserved[0]?.delegation).toBeUndefined()
    expect(open.reserved[0]?.onBehalfOf).toBe('acme/desk')
  })

  it('acts for its caller under the chain that this handed on, which grants no more', async () => {
    await using open = await openAgency(async (hop, agency) => {
      const cancelled = await hop.tryCall(flights.cancel, {})
      expect(endOf(cancelled)).toBe('delegation.not-granted')
      expect(endOf(await agency.tryCall(flights.reserve, { to: 'LAX', amount: 1 }))).toBe(
        'delegation.constraint-violated',
      )
      return hop.tryCall(flights.reserve, { to: 'SFO', amount: 100 })
    })
    const delegateFrom = await agencyChain(open.mesh)
    const constraints = { to: { in: ['SFO'] } }
    expect(await open.plan({ delegate: [flights.reserve], delegateFrom, constraints })).toBe('ok')
    const [hop] = open.reserved
    expect(hop?.caller.name).toBe('acme/agency')
    expect(hop?.delegation).toMatchObject({
      root: open.mesh.issuer.owner,
      agents: [{ name: 'acme/desk' }, { name: 'acme/agency' }],
    })
  })

  it('keeps the labels of the chain and of the call that were handed on, which its node cannot leave out', async () => {
    await using open = await openAgency(async (hop, agency) => {
      const bare = await agency.tryCall(flights.reserve, { to: 'SFO', amount: 1 })
      expect(endOf(bare)).toBe('delegation.label-removed')
      return hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 })
    })
    const delegateFrom = await agencyChain(open.mesh, { labels: ['pii'] })
    expect(await open.plan({ delegate: [flights.reserve], delegateFrom, labels: ['eu-only'] })).toBe('ok')
    expect(open.reserved.map(({ labels }) => labels.toSorted())).toEqual([['eu-only', 'pii']])
  })

  it('hands on once more, each time one link deeper, and not from nothing', async () => {
    await using open = await openAgency(async (hop) => {
      const further = { delegate: ['flights:cancel'] as const }
      expect(endOf(await hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 }, further))).toBe('delegation.widened')
      expect(
        endOf(await hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 }, { ...further, authority: 'own' })),
      ).toBe('delegation.not-held')
      return hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 }, { delegate: [flights.reserve] })
    })
    const delegateFrom = await agencyChain(open.mesh)
    expect(await open.plan({ delegate: [flights.reserve], delegateFrom })).toBe('ok')
    expect(open.reserved).toHaveLength(1)
    expect(open.reserved[0]?.handed?.capabilities).toEqual(['flights:reserve'])
  })

  it('holds what was handed on no longer than its link lives', async () => {
    let later: (() => Promise<string>) | undefined
    await using open = await openAgency(async (hop) => {
      const call = () => hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 }, { deadlineMs: 5_000 })
      later = async () => endOf(await call())
      return call()
    })
    const delegateFrom = await agencyChain(open.mesh)
    expect(await open.plan({ delegate: [flights.reserve], delegateFrom, forMs: 1_000 })).toBe('ok')
    await open.mesh.clock.advance(2 * minute)
    expect(await later?.()).not.toBe('ok')
    expect(open.reserved).toHaveLength(1)
  })

  it('hands on for no longer than the chain above lives, however long it is meant for', async () => {
    await using open = await openAgency((hop) => hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 }))
    const delegateFrom = await agencyChain(open.mesh)
    expect(await open.plan({ delegate: [flights.reserve], delegateFrom, forMs: 100 * minute })).toBe('ok')
    expect(open.reserved).toHaveLength(1)
  })

  it('is handed on anew once the link that was signed for it before is over', async () => {
    await using open = await openAgency((hop) => hop.tryCall(flights.reserve, { to: 'SFO', amount: 1 }))
    const delegateFrom = await agencyChain(open.mesh)
    const plan = (): Promise<string> => open.plan({ delegate: [flights.reserve], delegateFrom, forMs: 10_000 })
    expect(await plan()).toBe('ok')
    await open.mesh.clock.advance(11_000)
    expect(await plan()).toBe('ok')
  })

  it('gets the links whole once a session, then by their hash', async () => {
    await using open = await openAgency()
    const wire = tapWire(open.mesh.bus)
    const delegateFrom = await agencyChain(open.mesh)
    for (let call = 0; call < 3; call++)
      expect(await open.plan({ delegate: [flights.reserve], delegateFrom })).toBe('ok')
    const plans = wire.headers().filter(({ capability }) => capability === trips.plan.capability)
    expect(plans.map(({ handedLinks }) => handedLinks?.length ?? 0)).toEqual([2, 0, 0])
    expect(new Set(plans.map(({ handed }) => handed)).size).toBe(1)
  })
})

describe('a chain that is handed on', () => {
  it('is refused from anybody but its last delegator, and cannot be acted under by who handed it on', async () => {
    await using open = await openAgency()
    const thief = await createRogue(open.mesh, 'acme/thief', { calls: ['trips:plan', 'flights:reserve'] })
    const root = await agencyChain(open.mesh)
    const signer = createKeySigner(generateSeed(open.mesh.random))
    const issued = await open.mesh.issuer.issue({ name: 'acme/desk', instance: signer.did, serves: [], calls: [] })
    const nowMs = open.mesh.clock.now()
    const owner = open.mesh.issuer.owner
    const links = await extendDelegation(
      root,
      {
        id: 'stolen',
        delegate: { owner, name: 'acme/agency' },
        capabilities: ['flights:reserve'],
        notBeforeMs: nowMs,
        expiresAtMs: nowMs + minute,
      },
      { ...issued, signer, agent: { owner, name: 'acme/desk' } },
    )
    const hash = hashChain(links)
    const session = await thief.shake(open.agency.instance)
    const handed = { handed: hash, handedLinks: links }
    await thief.send(open.agency.instance, thief.request(session, 1, trips.plan, { header: handed }))
    expect(thief.last().body).toMatchObject({ outcome: { kind: 'refused', code: 'delegation.invalid' } })
    const asChain = { chain: hash, links }
    await thief.send(open.agency.instance, thief.request(session, 2, trips.plan, { header: asChain }))
    expect(thief.last().body).toMatchObject({ outcome: { kind: 'refused', code: 'delegation.wrong-delegate' } })
    await thief.send(open.agency.instance, thief.request(session, 3, trips.plan, { header: { handed: hash } }))
    expect(thief.last().body).toMatchObject({ outcome: { kind: 'refused', code: 'delegation.unknown' } })
    expect(open.reserved).toHaveLength(0)
  })
})
