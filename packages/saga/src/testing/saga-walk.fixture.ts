import type { SagaDefinition } from '../definition/define-saga.ts'
import { planParts } from '../definition/plan-parts.ts'
import { decideNext } from '../kernel/decide-next.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isEnded, type SagaState } from '../kernel/saga-state.ts'
import { isInFlight, settleTree } from '../kernel/settle-tree.ts'

/** A time at which everything that waits is due and nothing has expired. */
const nowMs = 1_000_000

/** Begins a saga of a definition, as the kernel sees it. */
export function beginWalk(definition: SagaDefinition): SagaState {
  const { name, version, fingerprint } = definition
  return foldSaga([
    {
      type: 'started',
      id: 'walk',
      owner: 'did:key:zOwner',
      definition: { name, version, fingerprint },
      plan: planParts(definition.parts, { input: null }),
      input: null,
      expiresAtMs: nowMs * 2,
      trace: '0'.repeat(32),
    },
    { type: 'owned', instance: 'did:key:zOne', epoch: 1 },
  ])
}

/** Lists everything that may happen next: what the runner decides, what participants answer, and what a human asks for. */
export function listNextEvents(state: SagaState): readonly SagaEvent[] {
  if (isEnded(state)) return []
  const decided = decideNext(state, nowMs).now.flatMap((decision): readonly SagaEvent[] => {
    const { kind } = decision
    if (kind === 'end') return [{ type: decision.as }]
    const step = decision.step
    const known = state.steps[step]
    switch (kind) {
      case 'send': {
        const attempt = (known?.attempts ?? 0) + 1
        return [{ type: 'intended', step, attempt, epoch: 1, key: step, provider: 'acme/p', input: null }]
      }
      case 'lookup':
        return [
          { type: 'committed', step, by: 'lookup', output: null },
          { type: 'looked-up', step, found: 'absent', retryAtMs: 0 },
          { type: 'looked-up', step, found: 'refused', code: 'x', retryAtMs: 0 },
          { type: 'undone', step, by: 'lookup' },
        ]
      case 'close':
        return [
          { type: 'closed', step },
          { type: 'closed', step, code: 'x' },
        ]
      case 'undo':
        return known?.snapshot.value === 'undoing'
          ? []
          : [{ type: 'undo-intended', step, attempt: (known?.undoAttempts ?? 0) + 1, epoch: 1 }]
      case 'turn':
        return [{ type: 'turned', step, code: decision.code }]
      case 'stall':
        return [{ type: 'stalled', step, code: decision.code }]
      case 'open-wait':
        return [{ type: 'wait-opened', wait: step, untilMs: nowMs }]
      case 'end-wait':
        return [{ type: 'wait-ended', wait: step }]
    }
  })
  const answered = Object.values(state.steps).flatMap((known): readonly SagaEvent[] => {
    const step = known.plan.name
    if (isInFlight(known))
      return [
        { type: 'committed', step, by: 'reply', output: null },
        { type: 'declined', step, by: 'reply', error: { name: 'full' } },
        ...(known.plan.retry.declined
          ? [{ type: 'declined', step, by: 'reply', error: { name: 'full' }, retryAtMs: 0 } as const]
          : []),
        { type: 'unknown', step, code: 'deadline.exceeded' },
      ]
    if (known.snapshot.value !== 'undoing') return []
    return [
      { type: 'undone', step, by: 'reply' },
      { type: 'stalled', step, code: 'x' },
    ]
  })
  return [...decided, ...answered]
}

/** Names a state by all that what follows depends on. */
export function nameState(state: SagaState): string {
  const steps = Object.values(state.steps).map(
    ({ snapshot, attempts, found, hopeless, closed }) =>
      `${snapshot.value}${snapshot.context.unsettled ? '!' : ''}${attempts}${found ?? ''}${hopeless ? 'h' : ''}${closed ? 'c' : ''}`,
  )
  const waits = Object.values(state.waits).map(({ snapshot }) => snapshot.value)
  const sequences = Object.entries(state.sequences).map(([path, { value, context }]) => `${path}${value}${context.at}`)
  return [state.life.value, state.turned ? 'turned' : '', ...steps, ...waits, ...sequences].join(' ')
}

/** Finds what is wrong with a state that the kernel came to; undefined for nothing. */
export function findBrokenInvariant(state: SagaState, order: readonly (readonly string[])[]): string | undefined {
  const status = (name: string): string => state.steps[name]?.snapshot.value ?? ''
  const names = Object.keys(state.steps)
  const standing = ['committed', 'unknown', 'executing', 'undoing']
  const { value } = state.life
  if (value === 'completed' && !names.every((name) => status(name) === 'committed')) return 'completed without all'
  if (value === 'completed' && Object.values(state.steps).some((step) => step.plan.locks && !step.closed))
    return 'completed, and a lock is kept'
  if (value === 'compensated' && names.some((name) => standing.includes(status(name))))
    return 'compensated, but it stands'
  if (value === 'compensated' && !state.turned) return 'compensated without a reason'
  if (!isSettled(state)) return 'a sequence was not settled'
  if (!isEnded(state) && listNextEvents(state).length === 0) return 'nothing can happen any more'
  for (const sequence of order)
    for (const [at, name] of sequence.entries()) {
      const later = sequence.slice(at + 1).filter((one) => standing.includes(status(one)))
      if (['undoing', 'undone'].includes(status(name)) && later.length > 0)
        return `${name} was undone before ${later[0]}`
    }
  return undefined
}

/** An event settles the branches that it touches: then nothing is left to settle in the whole tree. */
function isSettled(state: SagaState): boolean {
  const sequences = { ...state.sequences }
  const { started, steps, waits, turned } = state
  settleTree({ plan: started.plan, steps, waits, sequences, turned: turned !== undefined })
  return Object.entries(sequences).every(([path, snapshot]) => state.sequences[path] === snapshot)
}
