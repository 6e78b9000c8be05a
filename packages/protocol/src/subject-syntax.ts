import { MeshError } from './mesh-error.ts'

/** Far below nats-server's max_control_line (4096), beyond which it drops the connection. */
const maxSubjectChars = 1024
const subjectSyntax = /^[^\s.*>\p{Cc}]+(?:\.[^\s.*>\p{Cc}]+)*$/u
const patternSyntax = /^(?:>|(?:[^\s.*>\p{Cc}]+|\*)(?:\.(?:[^\s.*>\p{Cc}]+|\*))*(?:\.>)?)$/u

/**
 * Refuses what is not a subject, dot-separated tokens without wildcards or blanks, before it comes near a wire where a blank or
 * a line break would be a command of its own. Throws `transport.subject-invalid`.
 */
export function assertSubject(subject: string): void {
  if (subject.length > maxSubjectChars || !subjectSyntax.test(subject)) throw invalid('subject', subject)
}

/** Refuses what is not a pattern: tokens, `*` for one of them, a final `>` for the rest. Throws `transport.subject-invalid`. */
export function assertPattern(pattern: string): void {
  if (pattern.length > maxSubjectChars || !patternSyntax.test(pattern)) throw invalid('pattern', pattern)
}

/** Tells whether a valid pattern matches a valid subject. */
export function patternMatches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const tokens = subject.split('.')
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return tokens.length > index
    if (index >= tokens.length || (token !== '*' && token !== tokens[index])) return false
  }
  return wanted.length === tokens.length
}

function invalid(what: 'subject' | 'pattern', text: string): MeshError {
  return new MeshError(
    'transport.subject-invalid',
    `${JSON.stringify(text.slice(0, 80))} is no ${what}; use at most ${maxSubjectChars} characters in dot-separated tokens.`,
  )
}
