/**
 * What a rule does when its condition holds. `transform` changes the body before anything is decided; `warn` and `log` are
 * advice: they are recorded and decide nothing.
 */
export const policyEffects = ['allow', 'deny', 'require_approval', 'transform', 'warn', 'log'] as const

/** One of `policyEffects`. */
export type PolicyEffect = (typeof policyEffects)[number]

/** Tells whether `text` is an effect. */
export function isPolicyEffect(text: string): text is PolicyEffect {
  return (policyEffects as readonly string[]).includes(text)
}
