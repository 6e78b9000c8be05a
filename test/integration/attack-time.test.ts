import { describe, expect, it } from 'vitest'
import { createRogue } from './rogue.ts'
import { openShop, shop } from './shop.ts'
import { readHeaders, tapWire } from './wire.ts'

const hourMs = 3_600_000

describe('a wall clock that jumps', () => {
  it.each([
    ['forward, as after a machine slept', 5 * hourMs],
    ['back, as an operator set it', -5 * hourMs],
  ])('%s stops a running mesh for seconds, not until the next renewal', async (_, ms) => {
    await using open = await openShop()
    expect((await open.buy()).kind).toBe('ok')
    const scoreOf = async (): Promise<unknown> => (await open.hopsOf(open.counter)).at(-1)?.['score']
    const before = await scoreOf()
    open.mesh.clock.jump(ms)
    await open.mesh.clock.advance(15_000)
    for (let second = 0; second < 10; second++) {
      expect((await open.buy()).kind).toBe('ok')
      await open.mesh.clock.advance(1_000)
    }
    expect(Number(await scoreOf())).toBeGreaterThanOrEqual(Number(before))
    expect(open.counter.health()).toMatchObject({ ready: true })
  })

  it('lets no copied request run again, neither within its life nor after it', async () => {
    let ran = 0
    await using open = await openShop({
      buy: () => {
        ran += 1
        return { receipt: 'r' }
      },
    })
    const wire = tapWire(open.mesh.bus)
    await open.buy()
    const unit = wire.unitOf('request')
    const hello = wire.unitOf('hello')
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    for (const ms of [0, hourMs, -hourMs, -hourMs, hourMs]) {
      open.mesh.clock.jump(ms)
      await open.mesh.clock.advance(10)
      const before = wire.units.length
      await rogue.publish(unit.subject, unit.data)
      await rogue.publish(hello.subject, hello.data)
      const answers = wire.units.slice(before).flatMap(readHeaders)
      expect(answers.filter(({ type }) => type === 'reply' || type === 'welcome')).toEqual([])
    }
    expect(ran).toBe(1)
    expect(open.mesh.recordsOf(open.counter).some(({ code }) => code === 'iatp.replayed')).toBe(true)
  })

  it('makes no expired credential good for a session, whichever way it went', async () => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const ask = async (counter: number): Promise<unknown> => {
      await rogue.send(open.counter.instance, rogue.request(session, counter, shop.look, { body: { item: 'x' } }))
      return (rogue.last().body as { outcome: { code?: string; kind: string } }).outcome
    }
    expect(await ask(1)).toMatchObject({ kind: 'ok' })
    await open.mesh.clock.advance(901_000)
    expect(await ask(2)).toMatchObject({ kind: 'refused', code: 'identity.credential-expired' })
    await expect(rogue.shake(open.counter.instance)).resolves.toHaveLength(43)
    expect(await ask(3)).toMatchObject({ code: 'identity.credential-expired' })
    await open.mesh.clock.advance(61_000)
    await expect(rogue.shake(open.counter.instance)).rejects.toThrow('identity.credential-expired')
  })
})
