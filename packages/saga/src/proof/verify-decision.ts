import { verifyDeclaration, type Anchors, type Assurance } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import { isSameJson } from '../json-value.ts'
import { proposeDecision } from '../kernel/propose.ts'
import type { DecidedEvent } from '../kernel/saga-event.ts'
import type { SagaState } from '../kernel/saga-state.ts'
import { readOrder, sagaPurpose } from '../runner/verify-human.ts'
import type { ProvenDecision } from './saga-account.ts'

/** What a decision is held against. */
export interface DecisionSetting {
  readonly state: SagaState
  readonly agent: string
  readonly atMs: number
  readonly anchors: Anchors
  /** How strongly the person must have signed in (NIST SP 800-63B). */
  readonly assurance: Assurance
  /** The bodies of the decision are in the file. */
  readonly isWhole: boolean
}

/**
 * Verifies what a journal says that a person decided: signed by a person, of this saga, in these words, and as something
 * that could be decided then. Throws a `MeshError`: `saga.decision-refused`, or the code of what does not hold.
 */
export function verifyDecision(decided: DecidedEvent, setting: DecisionSetting): Omit<ProvenDecision, 'line'> {
  const { state, agent, atMs, anchors, assurance, isWhole } = setting
  if ((decided as Partial<DecidedEvent>).declaration === undefined)
    throw new MeshError(
      'saga.decision-refused',
      'what a person signed is not in the file: its journal keeps bodies elsewhere',
    )
  const verdict = verifyDeclaration(decided.declaration, {
    purpose: sagaPurpose,
    anchors,
    nowMs: atMs,
    human: assurance,
  })
  if (verdict.kind === 'deny') throw new MeshError(verdict.code, `the decision: ${verdict.reason}`)
  const { content, credential } = verdict.declaration
  const read = readOrder(decided.declaration, content, credential.name)
  if (read.kind === 'deny') throw new MeshError(read.code, read.reason)
  const { order } = read
  const signed = isWhole ? order.decided : withoutOutput(order.decided)
  if (order.agent !== agent || order.saga !== state.started.id || !isSameJson(signed, decided))
    throw new MeshError('saga.decision-refused', `${credential.name} signed another decision than the journal has`)
  const proposed = proposeDecision(decided)(state)
  if ('kind' in proposed) throw new MeshError(proposed.code, proposed.reason)
  const { decision, about, reason } = decided
  const { owner, name, instance } = credential
  return { atMs, decision, ...(about !== undefined && { about }), reason, by: { owner, name, instance } }
}

function withoutOutput(decided: DecidedEvent): DecidedEvent {
  const { output: _output, ...rest } = decided
  return rest
}
