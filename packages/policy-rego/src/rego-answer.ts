import type { EngineVerdict } from '@parley/policy'

const maxReasonLength = 200

/**
 * Reads what a package said. Only `allow` that is true allows, and only if `deny`, where the package has it, holds nothing.
 * No answer, and one of another shape, is a denial.
 */
export function verdictOfAnswer(answer: unknown, name: string): EngineVerdict {
  if (answer === undefined) return failed(`the package of ${name} has no result`)
  if (answer === true) return { kind: 'allow', rule: 'allow' }
  if (answer === false) return denied('allow', `the document ${name} does not allow it`)
  if (!isRecord(answer)) return failed(`the package of ${name} gives neither true, false nor an object`)
  const { allow, deny_reason: reason, deny } = answer
  if (deny !== undefined && !isEmpty(deny)) return denied('deny', readReason(deny) ?? `the document ${name} denies it`)
  if (allow === true) return { kind: 'allow', rule: 'allow' }
  if (allow === undefined) return failed(`the package of ${name} has no allow`)
  if (allow !== false) return failed(`allow of ${name} is neither true nor false`)
  return denied('allow', readReason(reason) ?? `the document ${name} does not allow it`)
}

/** Takes the new body out of what a package said; undefined if it leaves the body alone. */
export function bodyOfAnswer(answer: unknown): { readonly body: unknown } | undefined {
  return isRecord(answer) && Object.hasOwn(answer, 'transform') ? { body: answer['transform'] } : undefined
}

function denied(rule: string, reason: string): EngineVerdict {
  return { kind: 'deny', rule, code: 'policy.denied', reason }
}

function failed(reason: string): EngineVerdict {
  return { kind: 'deny', rule: '', code: 'policy.evaluation-failed', reason }
}

/** A set of Rego is a list here; its first text is the reason. */
function readReason(value: unknown): string | undefined {
  const reason: unknown = Array.isArray(value) ? value.find((item) => typeof item === 'string') : value
  if (typeof reason !== 'string' || reason.trim() === '') return undefined
  return reason.replaceAll(/\p{Cc}+/gu, ' ').slice(0, maxReasonLength)
}

function isEmpty(value: unknown): boolean {
  if (value === false || value === null) return true
  if (Array.isArray(value)) return value.length === 0
  return isRecord(value) && Object.keys(value).length === 0
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
