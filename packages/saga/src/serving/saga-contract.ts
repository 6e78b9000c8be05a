import { defineContract, field, messageSchema, type Contract, type Schema } from '@parley/mesh'
import type { JournaledEvent } from '../journal/journal-format.ts'
import type { SagaView } from '../runner/describe-saga.ts'

/** Why an agent does not do what was asked about its sagas. */
export interface SagaRefused {
  readonly code: string
  readonly reason: string
}

interface OfSaga {
  readonly id: string
}
interface Asked<Input, Output, Risk extends 'read' | 'irreversible'> {
  readonly input: Schema<Input>
  readonly output: Schema<Output>
  readonly errors: { readonly refused: Schema<SagaRefused> }
  readonly risk: Risk
}
type Done = Readonly<Record<never, never>>
interface ListAnswer {
  readonly sagas: readonly SagaView[]
}
interface StateAnswer {
  readonly view: SagaView
}
type FollowInput = OfSaga & { readonly from?: number }
interface DecideInput {
  readonly declaration: string
}
type SignalInput = OfSaga & { readonly name: string; readonly value?: unknown }
type CancelInput = OfSaga & { readonly reason: string }
interface CancelAnswer {
  readonly stopped: Readonly<Record<string, string>>
}

const { anything, object, objects, optional, position, text } = field
const id = text(128)
const refused = messageSchema<SagaRefused>({ code: text(64), reason: text(4_096) })
const errors = { refused }
const done = messageSchema<Done>({})

/**
 * What an agent serves about its sagas, so that whoever may is told of them, signals, cancels and decides, from any process:
 * each a capability of its own under policy. `saga:decide` takes a human's declaration; whoever brings it is only its bearer.
 */
export const sagaContract: SagaContract = defineContract('saga', {
  list: { input: messageSchema<Done>({}), output: messageSchema<ListAnswer>({ sagas: objects }), errors, risk: 'read' },
  state: {
    input: messageSchema<OfSaga>({ id }),
    output: messageSchema<StateAnswer>({ view: object }),
    errors,
    risk: 'read',
  },
  follow: {
    input: messageSchema<FollowInput>({ id, from: optional(position) }),
    stream: messageSchema<JournaledEvent>({ position, atMs: anything, event: object, erased: optional(anything) }),
    output: messageSchema<StateAnswer>({ view: object }),
    errors,
    risk: 'read',
  },
  signal: {
    input: messageSchema<SignalInput>({ id, name: text(63), value: optional(anything) }),
    output: done,
    errors,
    risk: 'irreversible',
  },
  cancel: {
    input: messageSchema<CancelInput>({ id, reason: text(1_024) }),
    output: messageSchema<CancelAnswer>({ stopped: object }),
    errors,
    risk: 'irreversible',
  },
  decide: {
    input: messageSchema<DecideInput>({ declaration: text(32_768) }),
    output: done,
    errors,
    risk: 'irreversible',
  },
})

/** The type of `sagaContract`. */
export type SagaContract = Contract<{
  readonly list: Asked<Done, ListAnswer, 'read'>
  readonly state: Asked<OfSaga, StateAnswer, 'read'>
  readonly follow: Asked<FollowInput, StateAnswer, 'read'> & { readonly stream: Schema<JournaledEvent> }
  readonly signal: Asked<SignalInput, Done, 'irreversible'>
  readonly cancel: Asked<CancelInput, CancelAnswer, 'irreversible'>
  readonly decide: Asked<DecideInput, Done, 'irreversible'>
}>
