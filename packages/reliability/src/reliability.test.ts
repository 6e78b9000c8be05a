import { createManualClock, type ManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { verdictOf, type OutcomeKind } from './outcome-verdict.ts'
import {
  createReliability,
  type CallPass,
  type CallPhase,
  type Reliability,
  type ReliabilityEvent,
  type ReliabilityOptions,
} from './reliability.ts'

const call = { peer: 'did:key:z6Mk acme/planes', capability: 'flights:reserve' }

interface Setup {
  readonly clock: ManualClock
  readonly gate: Reliability
  readonly events: ReliabilityEvent[]
}

function setUp(options: Partial<ReliabilityOptions> = {}): Setup {
  const clock = createManualClock()
  const events: ReliabilityEvent[] = []
  const onEvent = (event: ReliabilityEvent): unknown => events.push(event)
  return { clock, gate: createReliability({ clock, onEvent, ...options }), events }
}

function take(gate: Reliability, more: { peer?: string; capability?: string; phase?: CallPhase } = {}): CallPass {
  const admission = gate.admit({ ...call, ...more })
  if (admission.kind === 'deny') throw new Error(admission.reason)
  return admission.pass
}

function run(gate: Reliability, outcome: OutcomeKind, times = 1, durationMs = 10): void {
  for (let count = 0; count < times; count++) take(gate).settle({ verdict: verdictOf(outcome), durationMs })
}

const stateOf = (gate: Reliability): string | undefined => gate.snapshot()[0]?.state

describe('verdictOf', () => {
  it('judges the five outcomes as the architecture says', () => {
    const kinds: OutcomeKind[] = ['ok', 'declined', 'refused', 'failed', 'unknown']
    expect(kinds.map(verdictOf)).toEqual(['good', 'good', 'neutral', 'bad', 'bad'])
  })
})

describe('createReliability', () => {
  it('opens the breaker when the budget burns, and refuses the next call', () => {
    const { gate, events } = setUp()
    run(gate, 'ok', 17)
    run(gate, 'failed', 2)
    expect(stateOf(gate)).toBe('closed')
    run(gate, 'unknown', 1)
    expect(stateOf(gate)).toBe('open')
    expect(gate.admit(call)).toMatchObject({ kind: 'deny', code: 'breaker.open', retryAfterMs: 5_000 })
    expect(events[0]).toMatchObject({ kind: 'breaker', ...call, from: 'closed', to: 'open' })
  })

  it('counts the good calls from before the first bad one', () => {
    const { gate } = setUp()
    run(gate, 'ok', 1_000)
    run(gate, 'failed', 30)
    expect(stateOf(gate)).toBe('closed')
    expect(gate.snapshot()).toMatchObject([{ good: 1_000, bad: 30 }])
  })

  it('does not trip below 20 events, nor by refusals and declines', () => {
    const { gate } = setUp()
    run(gate, 'failed', 19)
    run(gate, 'refused', 100)
    expect(stateOf(gate)).toBe('closed')
    const other = setUp().gate
    run(other, 'declined', 100)
    run(other, 'refused', 100)
    expect(other.snapshot()).toMatchObject([{ state: 'closed', good: 100, bad: 0 }])
  })

  it('takes a slow success for bad where the objective bounds the latency', () => {
    const { gate } = setUp({ objectives: [{ capability: 'flights:*', target: 0.99, latencyMs: 200 }] })
    run(gate, 'ok', 20, 200)
    expect(stateOf(gate)).toBe('closed')
    run(gate, 'ok', 2, 201)
    expect(stateOf(gate)).toBe('open')
  })

  it('uses the first objective that covers the capability, else the defaults', () => {
    const { gate } = setUp({
      objectives: [
        { capability: 'flights:reserve', target: 0.999 },
        { capability: 'flights:*', target: 0.95 },
      ],
      defaults: { target: 0.9 },
    })
    for (const capability of ['flights:reserve', 'flights:cancel', 'hotels:book']) {
      take(gate, { capability }).settle({ verdict: 'good', durationMs: 1 })
    }
    expect(gate.snapshot().map(({ target }) => target)).toEqual([0.999, 0.95, 0.9])
  })

  it('keeps peers and capabilities apart', () => {
    const { gate } = setUp()
    run(gate, 'failed', 20)
    expect(gate.admit(call).kind).toBe('deny')
    expect(gate.admit({ ...call, peer: 'did:key:z6Mk acme/hotels' }).kind).toBe('allow')
    expect(gate.admit({ ...call, capability: 'flights:cancel' }).kind).toBe('allow')
  })

  it('never gates undo and lookup, and counts neither', () => {
    const { gate } = setUp()
    run(gate, 'failed', 20)
    for (const phase of ['undo', 'lookup'] as const) {
      for (let count = 0; count < 50; count++) take(gate, { phase }).settle({ verdict: 'bad', durationMs: 1 })
    }
    expect(gate.admit({ ...call, phase: 'forward' }).kind).toBe('deny')
    expect(gate.snapshot()).toMatchObject([{ good: 0, bad: 20 }])
  })

  it('closes after three good probes, and events from before never trip it again', async () => {
    const { clock, gate, events } = setUp()
    run(gate, 'failed', 20)
    await clock.advance(5_000)
    run(gate, 'ok', 3)
    expect(stateOf(gate)).toBe('closed')
    run(gate, 'failed', 19)
    expect(stateOf(gate)).toBe('closed')
    run(gate, 'failed', 1)
    expect(stateOf(gate)).toBe('open')
    const changes = events.flatMap((event) => (event.kind === 'breaker' ? [event.to] : []))
    expect(changes).toEqual(['open', 'half-open', 'closed', 'open'])
  })

  it('opens again at a slow probe, and gives the place of a refused one back', async () => {
    const { clock, gate } = setUp({ defaults: { target: 0.99, latencyMs: 100 } })
    run(gate, 'failed', 20)
    await clock.advance(5_000)
    run(gate, 'refused', 5)
    expect(stateOf(gate)).toBe('half-open')
    run(gate, 'ok', 1, 101)
    expect(stateOf(gate)).toBe('open')
  })

  it('ignores outcomes of calls that began before the last change of state', async () => {
    const { clock, gate } = setUp()
    const early = Array.from({ length: 40 }, () => take(gate))
    run(gate, 'failed', 20)
    await clock.advance(5_000)
    run(gate, 'ok', 3)
    for (const pass of early) pass.settle({ verdict: 'bad', durationMs: 1 })
    expect(stateOf(gate)).toBe('closed')
    expect(gate.snapshot()).toMatchObject([{ good: 3, bad: 20 }])
  })

  it('counts only the first telling of an outcome', () => {
    const { gate } = setUp()
    const pass = take(gate)
    for (let count = 0; count < 40; count++) pass.settle({ verdict: 'bad', durationMs: 1 })
    expect(gate.snapshot()).toMatchObject([{ good: 0, bad: 1 }])
  })

  it('tells once that a budget is exhausted', () => {
    const { gate, events } = setUp()
    run(gate, 'ok', 1_000)
    run(gate, 'failed', 10)
    expect(events).toEqual([])
    run(gate, 'failed', 5)
    expect(events).toMatchObject([{ kind: 'budget-exhausted', ...call, target: 0.99 }])
  })

  it('goes on with open breakers after a restart', async () => {
    const { clock, gate } = setUp()
    run(gate, 'failed', 20)
    await clock.advance(1_000)
    const kept: unknown = JSON.parse(JSON.stringify(gate.exportState()))
    const restarted = setUp()
    restarted.gate.importState(kept)
    expect(restarted.gate.admit(call)).toMatchObject({ code: 'breaker.open', retryAfterMs: 4_000 })
    await restarted.clock.advance(4_000)
    run(restarted.gate, 'ok', 3)
    expect(stateOf(restarted.gate)).toBe('closed')
    expect(restarted.gate.exportState()).toEqual({ version: 1, breakers: [] })
  })

  it('refuses a kept state that it cannot read', () => {
    const { gate } = setUp()
    const bad = [null, {}, { version: 2, breakers: [] }, { version: 1, breakers: [{ ...call, retryAfterMs: NaN }] }]
    for (const state of bad) {
      expect(() => gate.importState(state)).toThrow(expect.objectContaining({ code: 'store.corrupt' }))
    }
  })

  it('forgets pairs that went quiet, and keeps at most so many', async () => {
    const { clock, gate } = setUp({ maxPairs: 3 })
    const use = (index: number): void =>
      take(gate, { peer: `p acme/${index}` }).settle({ verdict: 'good', durationMs: 1 })
    run(gate, 'failed', 20)
    for (let index = 0; index < 10; index++) use(index)
    expect(gate.snapshot().map(({ peer }) => peer)).toEqual([call.peer, 'p acme/8', 'p acme/9'])
    await clock.advance(5_000)
    run(gate, 'ok', 3)
    await clock.advance(25 * 3_600_000)
    use(10)
    expect(gate.snapshot().map(({ peer }) => peer)).toEqual(['p acme/10'])
  })

  it('refuses objectives that can never burn', () => {
    expect(() => setUp({ defaults: { target: 1 } })).toThrow(expect.objectContaining({ code: 'mesh.config-invalid' }))
  })
})
