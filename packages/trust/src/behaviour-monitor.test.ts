import { describe, expect, it } from 'vitest'
import { createBehaviourMonitor, type Alarm, type BehaviourMonitorOptions } from './behaviour-monitor.ts'
import { sightOf } from './sight.ts'
import { openTrustLab, peer, type TrustLab } from './trust-lab.fixture.ts'

const minuteMs = 60_000
const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A caller of whom a node sees what it asks for. */
async function openWatch(behaviour: BehaviourMonitorOptions = {}): Promise<
  TrustLab & {
    /** Calls so often, spread evenly over a time, one capability after the other. */
    call(times: number, overMs: number, ...capabilities: readonly string[]): void
  }
> {
  const lab = await openTrustLab({ behaviour })
  return {
    ...lab,
    call(times, overMs, ...capabilities) {
      for (let time = 0; time < times; time++) {
        lab.observe({ role: 'caller', capability: capabilities[time % capabilities.length] ?? '' })
        lab.clock.jump(overMs / times)
      }
    },
  }
}

const causes = ({ quarantines }: TrustLab): readonly string[] => quarantines.map(({ cause }) => cause)

describe('an hour unlike the 30 days before it', () => {
  const usual = ['flights:search', 'flights:reserve'] as const

  it('puts a peer apart for 15 minutes, and says by how much it differed', async () => {
    const watch = await openWatch()
    watch.call(2_400, 28 * dayMs, ...usual)
    watch.clock.jump(hourMs)
    watch.call(49, hourMs / 2, 'flights:purge')
    expect(causes(watch)).toEqual([])
    watch.call(17, 10 * minuteMs, 'flights:purge')
    expect(watch.quarantines).toMatchObject([{ cause: 'unlike-itself', peer }])
    expect(watch.quarantines[0]?.reason).toMatch(/^its hour is \d+\.\d\d nats from its 30 days$/)
    expect(watch.ledger.admit(peer)).toMatchObject({ code: 'trust.quarantined' })
    watch.clock.jump(15 * minuteMs)
    expect(watch.ledger.admit(peer)).toEqual({ kind: 'allow' })
  })

  it('is none while the mix is alike, however much more there is of it', async () => {
    const watch = await openWatch()
    watch.call(2_400, 28 * dayMs, ...usual)
    watch.clock.jump(hourMs)
    watch.call(200, hourMs, ...usual)
    // Twice as much of one as of the other is 0.06 nats from as much of each.
    watch.call(200, hourMs, 'flights:search', 'flights:search', 'flights:reserve')
    expect(causes(watch)).toEqual([])
  })

  it('takes a thousand calls of the past, older ones fading: a newcomer may ask for whatever it likes', async () => {
    const watch = await openWatch()
    watch.call(1_300, 28 * dayMs, ...usual)
    watch.clock.jump(hourMs)
    watch.call(90, hourMs, 'flights:purge')
    expect(causes(watch)).toEqual([])
  })

  it('is told from a past that outlived a restart', async () => {
    const watch = await openWatch()
    watch.call(2_400, 28 * dayMs, ...usual)
    watch.clock.jump(hourMs)
    watch.call(1, 1, 'flights:search')
    await watch.ledger.close()
    const again = await watch.reopen()
    await again.enter(peer)
    for (let time = 0; time < 80; time++) {
      again.observe({ peer, capability: 'flights:purge', role: 'caller', outcome: 'ok' })
      watch.clock.jump(30_000)
    }
    expect(causes(watch)).toEqual(['unlike-itself'])
  })
})

describe('ten times its own 99th percentile', () => {
  const slow = 'flights:search'

  it('puts a peer apart that called a thousand times at its own pace', async () => {
    const watch = await openWatch()
    watch.call(1_200, 600 * minuteMs, slow)
    watch.call(16, minuteMs, slow)
    expect(causes(watch)).toEqual([])
    watch.call(48, minuteMs / 2, slow)
    expect(watch.quarantines).toMatchObject([{ cause: 'far-above-its-rate' }])
    expect(watch.quarantines[0]?.reason).toMatch(/^\d+ calls in a minute, above 23$/)
  })

  it('is no measure for a peer that was seen less than a thousand times', async () => {
    const watch = await openWatch()
    watch.call(800, 400 * minuteMs, slow)
    watch.call(100, minuteMs / 2, slow)
    expect(causes(watch)).toEqual([])
  })

  it('is no harm below what policy grants the peer', async () => {
    const watch = await openWatch({ grantedPerMinute: (asked) => (asked === peer ? 100 : undefined) })
    watch.call(1_200, 600 * minuteMs, slow)
    watch.call(96, minuteMs / 2, slow)
    expect(causes(watch)).toEqual([])
    watch.call(32, minuteMs / 4, slow)
    expect(causes(watch)).toEqual(['far-above-its-rate'])
  })
})

describe('faults in a row', () => {
  type Monitor = ReturnType<typeof createBehaviourMonitor>
  const see = (monitor: Monitor, outcome: 'ok' | 'failed', times: number): Alarm | undefined => {
    let alarm: Alarm | undefined
    const observed = { peer, capability: 'flights:reserve', role: 'callee', outcome } as const
    for (let time = 0; time < times; time++) alarm = monitor.add(observed, sightOf(observed), 0)
    return alarm
  }

  it('are counted on from what was kept, end with a good call, and start from nothing after an alarm', () => {
    const before = createBehaviourMonitor()
    expect(see(before, 'failed', 19)).toBeUndefined()
    const saved = before.save(peer)
    const monitor = createBehaviourMonitor()
    if (saved) monitor.restore(peer, saved)
    expect(see(monitor, 'failed', 1)).toMatchObject({ cause: 'faults-in-a-row' })
    expect(see(monitor, 'failed', 19)).toBeUndefined()
    see(monitor, 'ok', 1)
    expect(monitor.save(peer)).toBeUndefined()
    expect(see(monitor, 'failed', 19)).toBeUndefined()
    expect(see(monitor, 'failed', 1)).toMatchObject({ cause: 'faults-in-a-row' })
  })
})
