import type { Hash } from '@parley/ports'
import type { DocumentDemand } from '../decide-policy.ts'
import type { PolicyInput } from '../policy-input.ts'

/**
 * Exactly what an approval is about. Two hops that differ in any of it are two subjects: other arguments, another saga step,
 * another policy, another caller.
 */
export interface ApprovalSubject {
  readonly action: string
  readonly phase: string
  readonly direction: string
  /** `owner name` of who asks for the work, and of who would do it. */
  readonly requester: string
  readonly callee: string
  readonly onBehalfOf: string
  /** `id/step`; empty outside a saga. The attempt is not in it: a retry is the same work. */
  readonly saga: string
  readonly policyHash: string
  /** base64url SHA-256 over the canonical JSON of the arguments that were decided on, transforms applied. */
  readonly argumentsHash: string
  readonly demands: readonly DocumentDemand[]
}

/** Describes what a hop would do, given the arguments that it was decided on. */
export function describeSubject(
  input: PolicyInput,
  decided: { readonly policyHash: string; readonly demands: readonly DocumentDemand[]; readonly body: unknown },
  hash: Hash,
): ApprovalSubject {
  const { action, phase, direction, caller, callee, onBehalfOf, saga } = input
  return {
    action,
    phase,
    direction,
    requester: `${caller.owner} ${caller.name}`,
    callee: `${callee.owner} ${callee.name}`,
    onBehalfOf,
    saga: saga.present ? `${saga.id}/${saga.step}` : '',
    policyHash: decided.policyHash,
    argumentsHash: digestJson(decided.body, hash),
    demands: decided.demands,
  }
}

/** Digests a subject: what approvers sign, and what is derived again before anything is done. base64url SHA-256. */
export function digestSubject(subject: ApprovalSubject, hash: Hash): string {
  return digestJson({ purpose: 'parley/v1/approval', ...subject }, hash)
}

/** Digests JSON in a form in which the order of keys says nothing. */
export function digestJson(value: unknown, hash: Hash): string {
  const text = JSON.stringify(sortKeys(value)) ?? 'undefined'
  return btoa(String.fromCharCode(...hash(new TextEncoder().encode(text))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  )
}
