import type { HopReport, Outcome } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { planParts } from '../definition/plan-parts.ts'
import { defineSequential } from '../testing/trip-sagas.fixture.ts'
import { foldSaga } from './fold-saga.ts'
import { interpretOutcome, type StepCall } from './interpret-outcome.ts'
import type { SagaEvent } from './saga-event.ts'

const hop: HopReport = { id: 'h', trace: '', capability: 'trips:reserve', sent: true, durationMs: 1, explain: () => '' }
const ok: Outcome = { kind: 'ok', output: { ref: 'late' }, hop }
const moment = { nowMs: 1_000, random: 0 }
const definition = defineSequential(1)
const started: SagaEvent = {
  type: 'started',
  id: 't',
  owner: 'did:key:zOwner',
  definition,
  plan: planParts(definition.parts),
  input: null,
  expiresAtMs: 9_000,
  trace: '',
}
const intended = (attempt: number): SagaEvent => ({
  type: 'intended',
  step: 's1',
  attempt,
  epoch: 1,
  key: 'k',
  provider: 'acme/trips',
})
const lost: SagaEvent = { type: 'unknown', step: 's1', code: 'deadline.exceeded' }
const call = (phase: StepCall['phase'], attempt: number): StepCall => ({ step: 's1', phase, attempt })

describe('interpretOutcome', () => {
  it.each<[string, readonly SagaEvent[], StepCall]>([
    ['of an earlier attempt', [intended(1), lost, intended(2)], call('do', 1)],
    ['after its attempt was given up', [intended(1), lost], call('do', 1)],
    ['of a lookup after the way back began', [intended(1), lost, { type: 'turned', code: 'x' }], call('lookup', 1)],
    ['of an undo that is not under way', [intended(1), lost], call('undo', 1)],
    ['of a step that the plan does not have', [], { step: 'elsewhere', phase: 'do', attempt: 1 }],
  ])('T10: ignores a reply %s', (_, events, stale) => {
    expect(interpretOutcome(foldSaga([started, ...events]), stale, ok, moment)).toEqual([])
  })

  it('takes the reply that is outstanding', () => {
    const state = foldSaga([started, intended(1), lost, intended(2)])
    expect(interpretOutcome(state, call('do', 2), ok, moment)).toMatchObject([{ type: 'committed', step: 's1' }])
  })

  it.each([[null], ['ok'], [{}], [{ found: 'maybe' }], [{ found: 'declined' }]])(
    'does not believe the lookup answer %j',
    (output) => {
      const state = foldSaga([started, intended(1), lost])
      expect(interpretOutcome(state, call('lookup', 1), { kind: 'ok', output, hop }, moment)).toMatchObject([
        { type: 'looked-up', found: 'refused', code: 'contract.output-invalid' },
      ])
    },
  )

  it('waits longer each time, up to the most, and not less than the callee asked', () => {
    const waits = [0, 1, 2, 3, 4].map((deferrals) => {
      const events = Array.from({ length: deferrals }, (): SagaEvent => ({
        type: 'deferred',
        step: 's1',
        code: '',
        untilMs: 0,
      }))
      const state = foldSaga([started, intended(1), lost, ...events])
      const [event] = interpretOutcome(
        state,
        call('lookup', 1),
        { kind: 'unknown', code: 'deadline.exceeded', hop },
        moment,
      )
      return event?.type === 'deferred' ? event.untilMs - moment.nowMs : undefined
    })
    expect(waits).toEqual([1, 2, 4, 8, 10])
    const busy: Outcome = { kind: 'refused', code: 'bulkhead.full', reason: '', retryAfterMs: 700, hop }
    expect(interpretOutcome(foldSaga([started, intended(1)]), call('do', 1), busy, moment)).toMatchObject([
      { type: 'refused', retryAtMs: 1_700 },
    ])
  })
})
