import { describe, expect, it } from 'vitest'
import { createRogue } from './rogue.ts'
import { openShop, shop } from './shop.ts'
import { createStranger } from './stranger.ts'

describe('a caller that never waits', () => {
  it('runs no more handlers at once than its share of the places, and others still find one', async () => {
    let running = 0
    let most = 0
    const ends: (() => void)[] = []
    await using open = await openShop(
      {
        buy: async () => {
          running += 1
          most = Math.max(most, running)
          await new Promise<void>((resolve) => ends.push(resolve))
          running -= 1
          return { receipt: 'r' }
        },
      },
      { counter: { maxServing: 4 } },
    )
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    for (let counter = 1; counter <= 12; counter++) {
      await rogue.send(
        open.counter.instance,
        rogue.request(session, counter, shop.buy, { header: { remainingMs: 1 }, body: { item: 'x' } }),
      )
      await open.mesh.clock.advance(2)
    }
    expect(most).toBe(3)
    expect(rogue.last().body).toMatchObject({ outcome: { kind: 'refused', code: 'bulkhead.full' } })
    const other = open.buy()
    await open.mesh.clock.settle()
    expect(most).toBe(4)
    const beyond = open.desk.tryCall(shop.buy, { item: 'x' })
    expect(await beyond).toMatchObject({ kind: 'refused', code: 'bulkhead.full' })
    for (const end of ends) end()
    await open.mesh.clock.settle()
    expect((await other).kind).toBe('ok')
    await rogue.send(open.counter.instance, rogue.request(session, 13, shop.look, { body: { item: 'x' } }))
    expect(rogue.last().body).toMatchObject({ outcome: { kind: 'ok' } })
  })
})

describe('a stranger with a sound key', () => {
  it('cannot fill the log, and what it did is still counted', async () => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const before = open.mesh.recordsOf(open.counter).length
    for (let frame = 0; frame < 20; frame++) {
      const junk = Array.from({ length: 64 }, (_, at) =>
        rogue.request('A'.repeat(43), at + 1, shop.buy, { body: { item: 'x' } }),
      )
      await rogue.send(open.counter.instance, ...junk)
    }
    await open.mesh.clock.advance(1_001)
    const written = open.mesh.recordsOf(open.counter).slice(before)
    expect(written.length).toBeLessThan(100)
    const counted = written.filter(({ kind }) => kind === 'rejected').map(({ frames }) => Number(frames))
    expect(counted.reduce((sum, frames) => sum + frames, 0) + written.length).toBeGreaterThanOrEqual(1_280)
    expect((await open.buy()).kind).toBe('ok')
  })

  it('pays for each envelope of a bundle, not for each bundle', async () => {
    await using open = await openShop()
    const stranger = createStranger(open.mesh)
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const hellos = Array.from({ length: 64 }, () => rogue.hello())
    for (let frame = 0; frame < 40; frame++) await rogue.send(open.counter.instance, ...hellos)
    await stranger.send(open.counter.instance, { type: 'hello', nonce: 'A'.repeat(22) })
    await open.mesh.clock.advance(1_001)
    const codes = open.mesh
      .recordsOf(open.counter)
      .filter(({ kind }) => kind === 'rejected')
      .map(({ codes }) => String(codes))
    expect(codes.join()).toContain('iatp.sender-limited')
  })
})

describe('a peer that shakes hands without end', () => {
  it('pushes out no session but its own', async () => {
    await using open = await openShop()
    await open.buy()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const sessions: string[] = []
    for (let shake = 0; shake < 12; shake++) sessions.push(await rogue.shake(open.counter.instance))
    const answers: unknown[] = []
    for (const session of sessions) {
      await rogue.send(open.counter.instance, rogue.request(session, 1, shop.look, { body: { item: 'x' } }))
      answers.push((rogue.last().body as { outcome: { kind: string } }).outcome.kind)
    }
    expect(answers.filter((kind) => kind === 'ok')).toHaveLength(8)
    expect(answers.slice(-8)).toEqual(Array.from({ length: 8 }, () => 'ok'))
    expect((await open.buy()).kind).toBe('ok')
  })

  it('has two handshakes pending at most, and is served again after', async () => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    await rogue.send(open.counter.instance, ...Array.from({ length: 20 }, () => rogue.hello()))
    const types = rogue.inbox.map(({ header }) => header.type)
    expect(types.filter((type) => type === 'welcome')).toHaveLength(2)
    expect(types.filter((type) => type === 'refusal')).toHaveLength(18)
    expect(rogue.last().body).toMatchObject({ outcome: { code: 'iatp.sender-limited' } })
    await open.mesh.clock.advance(31_000)
    expect(await rogue.shake(open.counter.instance)).toHaveLength(43)
  })
})

describe('a peer that asks who is there without end', () => {
  it('gets one answer for many questions', async () => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const units: string[] = []
    open.mesh.bus.tap(({ subject }) => units.push(subject))
    for (let asked = 0; asked < 50; asked++) await rogue.emit('who', {})
    await open.mesh.clock.advance(25)
    expect(units.filter((subject) => subject.includes('.event.card.'))).toHaveLength(2)
  })
})
