import { compileRedaction, type Redaction } from '@parley/policy'

const companions = ['matching', 'with'] as const

/**
 * Reads what a policy redacts: `@redact("body.text, body.notes[*].text")`, with `@matching` (a pattern of RE2) and `@with`.
 * Such a policy is a permit, and where it applies it changes the body in the place of deciding. Undefined if it redacts
 * nothing, or not as it should.
 */
export function readRedaction(
  annotations: Readonly<Record<string, string>>,
  effect: 'permit' | 'forbid',
  report: (annotation: string, problem: string) => void,
): Redaction | undefined {
  const { redact, matching, with: replacement } = annotations
  if (redact === undefined) {
    for (const name of companions) {
      if (annotations[name] !== undefined) report(name, `@${name} says how to redact: give @redact too`)
    }
    return undefined
  }
  if (effect === 'forbid') report('redact', '@redact stands at a forbid: what is forbidden has nothing left to redact')
  const paths = redact.split(',').map((path) => path.trim())
  const redaction = compileRedaction({ redact: paths, matching, with: replacement })
  if (typeof redaction === 'string') report('redact', redaction)
  return typeof redaction === 'string' ? undefined : redaction
}
