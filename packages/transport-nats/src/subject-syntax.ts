import { MeshError } from '@parley/protocol'

/** Far below the server's max_control_line (4096), beyond which it drops the connection. */
const maxSubjectChars = 1024
const subjectSyntax = /^[^\s.*>\p{Cc}]+(?:\.[^\s.*>\p{Cc}]+)*$/u
const patternSyntax = /^(?:>|(?:[^\s.*>\p{Cc}]+|\*)(?:\.(?:[^\s.*>\p{Cc}]+|\*))*(?:\.>)?)$/u

/**
 * Refuses what is not a subject (or, with `pattern`, a pattern) before it comes near the wire, where a blank or a line
 * break would be a command of its own. Throws `transport.subject-invalid`.
 */
export function assertSubject(kind: 'subject' | 'pattern', text: string): void {
  const syntax = kind === 'subject' ? subjectSyntax : patternSyntax
  if (text.length <= maxSubjectChars && syntax.test(text)) return
  throw new MeshError(
    'transport.subject-invalid',
    `${JSON.stringify(text.slice(0, 80))} is no ${kind}; use at most ${maxSubjectChars} characters in dot-separated tokens.`,
  )
}
