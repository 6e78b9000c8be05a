/**
 * Conditions on the arguments of delegated calls, by name. They are opaque here: all of them hold at once, so adding one
 * narrows, and a link can neither drop nor change one of its parent.
 */
export type Constraints = Readonly<Record<string, unknown>>

/** Tells whether `child` repeats every constraint of `parent` unchanged, as `JSON.stringify` writes it. */
export function constraintsNarrow(parent: Constraints, child: Constraints): boolean {
  return Object.entries(parent).every(
    ([name, value]) => Object.hasOwn(child, name) && JSON.stringify(child[name]) === JSON.stringify(value),
  )
}
