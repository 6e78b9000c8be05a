import type { Outcome } from '@parley/mesh'
import { isWrongFile } from './describe-file-error.ts'
import type { DescribedError } from './describe-error.ts'

/** The exit codes of `parley`; they are API. Ended by a signal, the demo exits with 128 + its number, as shells have it. */
export const exitCodes = {
  ok: 0,
  /** A decided no, or a check that did not hold. */
  no: 1,
  /** The command line is not understood, or what it names cannot be meant: it is not there, or not this owner's to give. */
  usage: 2,
  /** Something broke, or nobody knows what was done. */
  failure: 3,
} as const

/** What a command refuses because of what it was told, not because of what it found. */
const mistakes: ReadonlySet<string> = new Set([
  'cli.usage',
  'delegation.invalid',
  'identity.anchor-invalid',
  'identity.issuer-refused',
  'identity.join-token-invalid',
  'identity.key-file-exists',
  'identity.name-not-owned',
  'mesh.config-invalid',
  'saga.unknown',
  'store.name-invalid',
])

/** Says how a command that threw ends. */
export function exitCodeOf({ code }: Pick<DescribedError, 'code'>, thrown: unknown): number {
  if (code === 'policy.invalid') return exitCodes.no
  return mistakes.has(code) || (code.startsWith('identity.') && isWrongFile(thrown))
    ? exitCodes.usage
    : exitCodes.failure
}

/** Says how a command ends whose call ended so. */
export function exitCodeOfOutcome(kind: Outcome['kind']): number {
  if (kind === 'ok') return exitCodes.ok
  return kind === 'declined' || kind === 'refused' ? exitCodes.no : exitCodes.failure
}
