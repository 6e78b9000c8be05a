import type { Outcome } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { createRogue } from './rogue.ts'
import { films, hopsOf, openStudio } from './studio.ts'
import { tapWire } from './wire.ts'

describe('long work', () => {
  it('that was taken on outlives the deadline of its call, and tells how far it is', async () => {
    await using open = await openStudio(async ({ frames }, hop, wait) => {
      hop.accept(2_000)
      for (let frame = 1; frame <= frames; frame++) {
        await wait(1_900)
        await hop.progress({ frame })
      }
      return { frames }
    })
    const wire = tapWire(open.mesh.bus)
    const outcome = open.render()
    await open.mesh.clock.advance(6_000)
    expect(await outcome).toMatchObject({ kind: 'ok', output: { frames: 3 } })
    expect(open.told).toEqual([1, 2, 3])
    const types = wire.headers().map(({ type }) => type)
    expect(types.filter((type) => !['event', 'hello', 'welcome', 'ready'].includes(type))).toEqual([
      'request',
      'accepted',
      'progress',
      'progress',
      'progress',
      'completed',
    ])
    for (const node of [open.desk, open.studio])
      expect(hopsOf(open.mesh, node)).toMatchObject([{ outcome: 'ok', accepted: true }])
  })

  it('whose lease lapses is unknown on both sides', async () => {
    await using open = await openStudio(async (_, hop) => {
      hop.accept(500)
      return new Promise<never>(() => undefined)
    })
    const outcome = open.render()
    await open.mesh.clock.advance(499)
    expect(open.signals[0]?.aborted).toBe(false)
    await open.mesh.clock.advance(1)
    expect(await outcome).toMatchObject({ kind: 'unknown', code: 'deadline.lease-lapsed' })
    expect(open.signals[0]?.aborted).toBe(true)
    expect(hopsOf(open.mesh, open.studio)).toMatchObject([{ outcome: 'unknown', code: 'deadline.lease-lapsed' }])
  })

  it('whose callee is gone is unknown when its lease lapses, not before', async () => {
    await using open = await openStudio(async (_, hop) => {
      hop.accept(20_000)
      return new Promise<never>(() => undefined)
    })
    let ended: Outcome | undefined
    void open.render().then((outcome) => (ended = outcome))
    await open.mesh.clock.settle()
    open.mesh.disconnect(open.studio)
    await open.mesh.clock.advance(19_900)
    expect(ended).toBeUndefined()
    await open.mesh.clock.advance(100)
    expect(ended).toMatchObject({ kind: 'unknown', code: 'deadline.lease-lapsed' })
  })

  it('that has ended says no more, whatever its handler goes on to tell', async () => {
    let later = (): void => undefined
    await using open = await openStudio(async ({ frames }, hop) => {
      hop.accept(500)
      later = () => {
        hop.accept(500)
        void hop.progress({ frame: 9 })
      }
      return { frames }
    })
    const wire = tapWire(open.mesh.bus)
    expect((await open.render()).kind).toBe('ok')
    const before = wire.units.length
    later()
    await open.mesh.clock.settle()
    expect(wire.units.slice(before)).toEqual([])
    expect(open.signals[0]?.aborted).toBe(false)
    await open.mesh.clock.advance(500)
    expect(open.signals[0]?.aborted).toBe(false)
  })

  it('that was never taken on keeps to the deadline of its call', async () => {
    await using open = await openStudio(() => new Promise<never>(() => undefined))
    const outcome = open.render()
    await open.mesh.clock.advance(1_000)
    expect(await outcome).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded' })
  })

  it('cannot be made of a capability whose contract says nothing of progress', async () => {
    await using open = await openStudio(async ({ frames }) => ({ frames }))
    const wire = tapWire(open.mesh.bus)
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['films:look'] })
    const session = await rogue.shake(open.studio.instance)
    await rogue.send(open.studio.instance, rogue.request(session, 1, films.look))
    expect(rogue.last().body).toMatchObject({ outcome: { kind: 'ok' } })
    expect(wire.headers().map(({ type }) => type)).not.toContain('accepted')
  })

  it('tells no progress that does not fit, and a listener that throws ends nothing', async () => {
    const codes: unknown[] = []
    await using open = await openStudio(async ({ frames }, hop) => {
      await hop
        .progress({ frame: 'one' as unknown as number })
        .catch((error: { code: unknown }) => codes.push(error.code))
      await hop.progress({ frame: 1 })
      return { frames }
    })
    const outcome = await open.render({
      onProgress: () => {
        throw new Error('a listener that throws')
      },
    })
    expect(outcome.kind).toBe('ok')
    expect(codes).toEqual(['contract.output-invalid'])
  })

  it('is renewed by nobody but who was asked, for no more than five minutes', async () => {
    await using open = await openStudio(async (_, hop) => {
      hop.accept(500)
      return new Promise<never>(() => undefined)
    })
    const wire = tapWire(open.mesh.bus)
    const outcome = open.render()
    await open.mesh.clock.settle()
    const leaf = wire.headers().find(({ type }) => type === 'accepted')?.inReplyTo
    const rogue = await createRogue(open.mesh, 'acme/studio', { serves: ['films:render'] })
    const session = await rogue.shake(open.desk.instance)
    const progress = { type: 'progress', session, inReplyTo: leaf }
    await rogue.send(open.desk.instance, { header: { ...progress, counter: 1, leaseMs: 60_000 }, body: { frame: 9 } })
    await rogue.send(open.desk.instance, { header: { ...progress, counter: 2, leaseMs: 300_001 }, body: { frame: 9 } })
    await open.mesh.clock.advance(500)
    expect(await outcome).toMatchObject({ code: 'deadline.lease-lapsed' })
    expect(open.told).toEqual([])
  })
})
