import type { Dimension } from './dimensions.ts'
import type { EvidenceOutcome, EvidenceRole } from './evidence.ts'

/** What one kind of outcome says about a peer. */
export interface OutcomeRow {
  readonly role: EvidenceRole
  readonly outcome: EvidenceOutcome
  /** The codes that it holds for; without, all of them. */
  readonly codes?: readonly string[]
  /** The value from 0 (bad) to 1 (good) that each dimension moves towards. */
  readonly values: Readonly<Partial<Record<Dimension, number>>>
  /** Counts towards the earned ceilings. */
  readonly verified: boolean
  /** Counts towards the incident that every fifth fault in a row is. */
  readonly fault: boolean
}

const faithful = { policyCompliance: 1, securityPosture: 1, collaborationHealth: 1 } as const

/**
 * Which outcome moves which dimension. What is not listed is nobody's evidence: a refusal by the callee, a timeout or a
 * lost reply, a signature that did not hold (it proves nothing about the name that it claims), a cancelled call.
 */
export const outcomeTable: readonly OutcomeRow[] = [
  {
    role: 'callee',
    outcome: 'ok',
    values: { ...faithful, outputQuality: 1, resourceEfficiency: 1 },
    verified: true,
    fault: false,
  },
  {
    role: 'callee',
    outcome: 'declined',
    values: { policyCompliance: 1, collaborationHealth: 1 },
    verified: false,
    fault: false,
  },
  { role: 'callee', outcome: 'failed', values: { outputQuality: 0 }, verified: false, fault: true },
  {
    role: 'callee',
    outcome: 'unknown',
    // The callee itself signed that its handler broke.
    codes: ['contract.handler-failed', 'contract.output-invalid'],
    values: { outputQuality: 0 },
    verified: false,
    fault: true,
  },
  { role: 'caller', outcome: 'ok', values: faithful, verified: true, fault: false },
  { role: 'caller', outcome: 'declined', values: faithful, verified: true, fault: false },
  { role: 'caller', outcome: 'failed', values: faithful, verified: true, fault: false },
  {
    role: 'caller',
    outcome: 'refused',
    codes: ['delegation.not-granted', 'delegation.widened', 'delegation.wrong-delegate', 'policy.denied'],
    values: { policyCompliance: 0 },
    verified: false,
    fault: false,
  },
]
