import { createManualClock, type ManualClock } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBreaker, type Breaker, type BreakerChange, type BreakerOptions, type BreakerPass } from './breaker.ts'

interface Setup {
  readonly clock: ManualClock
  readonly breaker: Breaker
  readonly changes: string[]
}

function setUp(options: Partial<BreakerOptions> = {}): Setup {
  const clock = createManualClock()
  const changes: string[] = []
  const onChange = ({ from, to }: BreakerChange): unknown => changes.push(`${from} > ${to}`)
  return { clock, breaker: createBreaker({ clock, onChange, ...options }), changes }
}

function take(breaker: Breaker): BreakerPass {
  const admission = breaker.admit()
  if (admission.kind === 'deny') throw new Error(admission.reason)
  return admission.pass
}

async function halfOpen(options: Partial<BreakerOptions> = {}): Promise<Setup> {
  const setup = setUp(options)
  setup.breaker.trip('test')
  await setup.clock.advance(5_000)
  return setup
}

describe('createBreaker', () => {
  it('stays closed whatever happens, until it is tripped', () => {
    const { breaker, changes } = setUp()
    for (let count = 0; count < 1_000; count++) take(breaker).settle('bad')
    expect(breaker.state()).toBe('closed')
    breaker.trip('the budget burns')
    expect(breaker.state()).toBe('open')
    expect(breaker.admit()).toEqual({
      kind: 'deny',
      code: 'breaker.open',
      reason: 'The breaker is open: the budget burns.',
      retryAfterMs: 5_000,
    })
    expect(changes).toEqual(['closed > open'])
  })

  it('is open until its time is over by the clock of the port, and says how long', async () => {
    const { clock, breaker } = setUp()
    breaker.trip('test')
    await clock.advance(4_999)
    expect(breaker.admit()).toMatchObject({ code: 'breaker.open', retryAfterMs: 1 })
    clock.jump(3_600_000)
    expect(breaker.state()).toBe('open')
    await clock.advance(1)
    expect(breaker.state()).toBe('half-open')
  })

  it('lets one call at a time through while half-open', async () => {
    const { breaker } = await halfOpen()
    const probe = take(breaker)
    expect(breaker.admit()).toMatchObject({ kind: 'deny', code: 'breaker.open', retryAfterMs: 250 })
    probe.settle('good')
    expect(breaker.admit().kind).toBe('allow')
    expect(breaker.admit().kind).toBe('deny')
  })

  it('closes after three good ones in a row', async () => {
    const { breaker, changes } = await halfOpen()
    for (let count = 0; count < 3; count++) {
      expect(breaker.state()).toBe('half-open')
      take(breaker).settle('good')
    }
    expect(breaker.state()).toBe('closed')
    expect([breaker.admit().kind, breaker.admit().kind]).toEqual(['allow', 'allow'])
    expect(changes).toEqual(['closed > open', 'open > half-open', 'half-open > closed'])
  })

  it('opens again at one bad one, and counts from the start after that', async () => {
    const { clock, breaker } = await halfOpen()
    take(breaker).settle('good')
    take(breaker).settle('good')
    take(breaker).settle('bad')
    expect(breaker.state()).toBe('open')
    await clock.advance(5_000)
    take(breaker).settle('good')
    expect(breaker.state()).toBe('half-open')
  })

  it('is neither closed nor opened by neutral ones, which give the place back', async () => {
    const { breaker } = await halfOpen()
    for (let count = 0; count < 50; count++) take(breaker).settle('neutral')
    expect(breaker.state()).toBe('half-open')
    for (let count = 0; count < 3; count++) take(breaker).settle('good')
    expect(breaker.state()).toBe('closed')
  })

  it('ignores outcomes of calls that began before the last change of state', async () => {
    const { clock, breaker } = setUp()
    const early = [take(breaker), take(breaker), take(breaker), take(breaker)]
    breaker.trip('test')
    early[0]?.settle('good')
    expect(breaker.state()).toBe('open')
    await clock.advance(5_000)
    expect(breaker.state()).toBe('half-open')
    for (const pass of early) pass.settle('good')
    expect(breaker.state()).toBe('half-open')
    const probe = take(breaker)
    probe.settle('bad')
    await clock.advance(5_000)
    probe.settle('good')
    take(breaker)
    expect(breaker.admit().kind).toBe('deny')
  })

  it('counts only the first telling of an outcome', async () => {
    const { breaker } = await halfOpen()
    const probe = take(breaker)
    for (let count = 0; count < 5; count++) probe.settle('good')
    expect(breaker.state()).toBe('half-open')
  })

  it('opens again when a probe was never settled', async () => {
    const { clock, breaker } = await halfOpen({ probeTimeoutMs: 1_000 })
    const lost = take(breaker)
    await clock.advance(999)
    expect(breaker.state()).toBe('half-open')
    await clock.advance(1)
    lost.settle('good')
    expect(breaker.state()).toBe('open')
    await clock.advance(5_000)
    expect(breaker.admit().kind).toBe('allow')
  })

  it('does nothing when tripped while it is open or half-open', async () => {
    const { clock, breaker, changes } = setUp()
    breaker.trip('test')
    await clock.advance(4_000)
    breaker.trip('again')
    await clock.advance(1_000)
    breaker.trip('again')
    expect(breaker.state()).toBe('half-open')
    expect(changes).toEqual(['closed > open', 'open > half-open'])
  })

  it('starts as its memory says, and never stays open for longer than its own time', async () => {
    const { clock, breaker } = setUp()
    expect(breaker.memory()).toBeUndefined()
    breaker.trip('test')
    await clock.advance(2_000)
    const memory = breaker.memory()
    expect(memory).toEqual({ retryAfterMs: 3_000, reason: 'test' })
    const restarted = setUp(memory && { memory })
    expect(restarted.breaker.admit()).toMatchObject({ kind: 'deny', retryAfterMs: 3_000 })
    await restarted.clock.advance(3_000)
    expect(restarted.breaker.state()).toBe('half-open')
    expect(setUp({ memory: { retryAfterMs: 1e9, reason: 'old' } }).breaker.admit()).toMatchObject({
      retryAfterMs: 5_000,
    })
  })

  it('never has two probes on their way, and closes only by three good ones in a row', async () => {
    const steps = fc.array(fc.constantFrom('admit', 'good', 'bad', 'neutral', 'wait', 'trip'), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(steps, async (run) => {
        let now = 0
        const breaker = createBreaker({ clock: { ...createManualClock(), monotonic: () => now }, openMs: 5_000 })
        // The model: a state, when it half-opens, whether a probe is on its way, and the good ones in a row.
        let model = { state: 'closed', halfOpensAt: 0, isProbing: false, row: 0 }
        let probe: BreakerPass | undefined
        const surprises: string[] = []
        for (const step of run) {
          if (step === 'wait') now += 2_500
          if (model.state === 'open' && now >= model.halfOpensAt) model = { ...model, state: 'half-open' }
          const isFree = model.state === 'closed' || (model.state === 'half-open' && !model.isProbing)
          if (step === 'trip') {
            breaker.trip('test')
            if (model.state === 'closed') model = { state: 'open', halfOpensAt: now + 5_000, isProbing: false, row: 0 }
          } else if (step === 'admit') {
            const admission = breaker.admit()
            if ((admission.kind === 'allow') !== isFree) surprises.push(`${admission.kind} while ${model.state}`)
            if (admission.kind === 'allow' && model.state === 'half-open') {
              probe = admission.pass
              model = { ...model, isProbing: true }
            }
          } else if (step !== 'wait' && probe) {
            probe.settle(step)
            probe = undefined
            const row = model.row + (step === 'good' ? 1 : 0)
            if (step === 'bad') model = { state: 'open', halfOpensAt: now + 5_000, isProbing: false, row: 0 }
            else model = { ...model, state: row === 3 ? 'closed' : 'half-open', isProbing: false, row: row % 3 }
          }
          if (breaker.state() !== model.state) surprises.push(`${breaker.state()} after ${step}`)
        }
        expect(surprises).toEqual([])
      }),
      { numRuns: 200 },
    )
  })
})
