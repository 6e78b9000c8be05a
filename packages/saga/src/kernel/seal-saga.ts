import { digestJson } from '../json-value.ts'
import { describeSteps } from './describe-steps.ts'
import type { SealedEvent } from './saga-event.ts'
import type { SagaState } from './saga-state.ts'

/** What a seal says of the journal that it stands for. */
export interface SealedJournal {
  /** The beginning of its chain. */
  readonly genesis: string
  /** When its last event was written. */
  readonly endedAtMs: number
  /** Whether bodies stood beside it. */
  readonly hasBodies: boolean
}

/** Sums up a saga that is over. */
export function sealSaga(state: SagaState, { genesis, endedAtMs, hasBodies }: SealedJournal): SealedEvent {
  const { started, life, epoch, instance, turned, problem } = state
  const { id, owner, definition, expiresAtMs, trace, key, input } = started
  const ended = life.value
  if (ended !== 'completed' && ended !== 'compensated' && ended !== 'aborted')
    throw new TypeError(`the saga "${id}" is ${ended}: only one that is over is sealed`)
  return {
    type: 'sealed',
    genesis,
    id,
    owner,
    definition,
    expiresAtMs,
    trace,
    ...(key !== undefined && { key }),
    epoch,
    instance,
    ended,
    endedAtMs,
    ...(turned && { turned }),
    ...(problem !== undefined && { problem }),
    input: input === undefined ? '' : digestJson(input),
    ...(hasBodies && { bodies: true }),
    steps: describeSteps(state),
  }
}

/** Returns the state of a saga of which only its seal is left: over, and without plan, bodies and waits. */
export function unsealSaga(sealed: SealedEvent): SagaState {
  const { id, owner, definition, expiresAtMs, trace, key, epoch, instance, ended, turned, problem } = sealed
  return {
    started: {
      type: 'started',
      id,
      owner,
      definition,
      plan: [],
      input: null,
      expiresAtMs,
      trace,
      ...(key !== undefined && { key }),
    },
    sealed,
    life: { value: ended },
    epoch,
    instance,
    steps: {},
    sequences: {},
    waits: {},
    awaitsVersion: false,
    heard: [],
    ...(turned && { turned }),
    ...(problem !== undefined && { problem }),
  }
}
