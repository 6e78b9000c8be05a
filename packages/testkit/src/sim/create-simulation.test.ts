import { describe, expect, it } from 'vitest'
import { createSimulation, type Simulation } from './create-simulation.ts'
import { createSimDisk, type SimDiskFailure } from './sim-disk.ts'
import { calm, drawFaultRates, type SimFaultRates } from './sim-faults.ts'
import type { SimProcess } from './sim-process.ts'

const bytes = new Uint8Array([1])
const never = (): boolean => false

function simulate(rates: Partial<SimFaultRates> = {}, seed = 1): Simulation {
  return createSimulation({ seed, rates: () => ({ ...calm, ...rates }) })
}

/** Two processes that talk, with everything that happens written down. */
async function talk(rates: (random: Simulation['random']) => SimFaultRates, seed: number): Promise<string> {
  const simulation = createSimulation({ seed, rates })
  const listen = async (process: SimProcess): Promise<void> => {
    await process.transport.subscribe('talk.*', ({ subject }) => process.note(`hears ${subject}`))
  }
  simulation.spawn('listener', listen)
  simulation.spawn('speaker', async (process) => {
    for (let at = 1; at <= 30; at++) {
      await process.wait(process.random.float() * 20, () => undefined)
      if (process.transport.status() === 'connected') process.transport.publish(`talk.${at}`, bytes)
    }
  })
  await simulation.run(never, 30_000)
  return simulation.timeline.text()
}

describe('createSimulation', () => {
  it('does the same for the same seed, and something else for another', async () => {
    const [first, again, other] = [
      await talk(drawFaultRates, 3),
      await talk(drawFaultRates, 3),
      await talk(drawFaultRates, 4),
    ]
    expect(first).toContain('hears talk.')
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  it('keeps the order of what one publishes, and loses nothing, without faults', async () => {
    const heard = (await talk(() => calm, 5)).match(/hears talk\.\d+/g)
    expect(heard).toEqual(Array.from({ length: 30 }, (_, at) => `hears talk.${at + 1}`))
  })

  it.each<[string, Partial<SimFaultRates>, (heard: readonly string[]) => boolean]>([
    ['drops', { drop: 0.5 }, (heard) => heard.length < 30],
    ['duplicates', { duplicate: 0.5 }, (heard) => heard.length > 30],
    [
      'delays past others',
      { delay: 0.5, delayMs: 1_000 },
      (heard) => heard.length === 30 && heard.some((subject, at) => subject !== `hears talk.${at + 1}`),
    ],
  ])('%s units', async (_, rates, isSo) => {
    const heard = (await talk(() => ({ ...calm, ...rates }), 6)).match(/hears talk\.\d+/g) ?? []
    expect(isSo(heard)).toBe(true)
  })

  it('starts a process that died anew, and lets nothing of the old life go on', async () => {
    const simulation = simulate({ downMs: 50 })
    const done: string[] = []
    simulation.spawn('mortal', async (process) => {
      process.clock.setTimer(() => done.push(`timer of ${process.id}`), 500)
      await process.wait(10, () => undefined)
      if (process.id === 'mortal#1') process.crash('at once')
      await process.pass('a point')
      done.push(process.id)
    })
    await simulation.run(never, 1_000)
    expect(done).toEqual(['mortal#2', 'timer of mortal#2'])
    expect(simulation.alive('mortal')?.id).toBe('mortal#2')
  })

  it('does what a paused process missed when it wakes', async () => {
    const simulation = simulate({ pause: 1, pauseMs: 10_000 }, 2)
    const done: number[] = []
    simulation.spawn('sleeper', async (process) => {
      await process.pass('a point')
      done.push(process.clock.monotonic())
    })
    await simulation.run(never, 1)
    expect(done).toEqual([])
    simulation.heal()
    await simulation.run(never, 1)
    expect(done).toHaveLength(1)
  })

  it('jumps wall clocks and never the monotonic one, until it heals', async () => {
    const simulation = simulate({ jump: 1, jumpMs: 20_000 })
    let process: SimProcess | undefined
    simulation.spawn('jumper', async (one) => {
      process = one
      await one.pass('a point')
    })
    await simulation.run(never, 1)
    expect(process?.clock.now()).not.toBe(simulation.clock.now())
    expect(process?.clock.monotonic()).toBe(simulation.clock.monotonic())
    simulation.heal()
    expect(process?.clock.now()).toBe(simulation.clock.now())
  })
})

describe('createSimDisk', () => {
  it('keeps what was acknowledged, and all or nothing of the rest, at every crash', async () => {
    let kept = 0
    for (let seed = 0; seed < 50; seed++) {
      const simulation = simulate({ crash: 0.3, downMs: 5 }, seed)
      const disk = createSimDisk({ isPoint: () => true })
      const acknowledged: number[] = []
      simulation.spawn('writer', async (process) => {
        const { journal } = disk.open(process)
        for (let last = await journal.last('s'); last < 20;) {
          last = await journal.append('s', last, [bytes, bytes])
          acknowledged.push(last)
        }
      })
      await simulation.run(never, 10_000)
      const length = disk.streams.get('s')?.length ?? 0
      expect(length).toBe(20)
      expect(length).toBeGreaterThanOrEqual(acknowledged.at(-1) ?? 0)
      kept += acknowledged.length
    }
    // Some writes were on the disk, and their writer never knew.
    expect(kept).toBeLessThan(50 * 10)
  })

  it('refuses a write behind another, and leaves nothing of it', async () => {
    const simulation = simulate()
    const disk = createSimDisk()
    const answers: unknown[] = []
    simulation.spawn('rival', async (process) => {
      const { journal, keyValue } = disk.open(process)
      await journal.append('s', 0, [bytes])
      answers.push(await journal.append('s', 0, [bytes]).catch((error: unknown) => error))
      await keyValue.put('k', bytes, 0)
      answers.push(await keyValue.put('k', bytes, 0).catch((error: unknown) => error))
    })
    await simulation.run(never, 1_000)
    expect(answers).toMatchObject([{ code: 'store.position-conflict' }, { code: 'store.revision-conflict' }])
    expect(disk.streams.get('s')).toHaveLength(1)
  })

  it('writes nothing when it is not reached, and all of it when only its answer is lost', async () => {
    const simulation = simulate()
    let failed: SimDiskFailure | undefined
    const disk = createSimDisk({ failure: () => failed })
    const answers: unknown[] = []
    simulation.spawn('writer', async (process) => {
      const { journal } = disk.open(process)
      for (failed of ['unreached', 'unanswered'] as const) {
        answers.push(await journal.append('s', 0, [bytes]).catch((error: unknown) => error))
        answers.push(disk.streams.get('s')?.length)
        answers.push(await journal.last('s').catch((error: unknown) => error))
      }
    })
    await simulation.run(never, 1_000)
    const unavailable = { code: 'store.unavailable' }
    expect(answers).toMatchObject([
      unavailable,
      undefined,
      unavailable,
      { code: 'store.outcome-unknown' },
      1,
      unavailable,
    ])
  })
})
