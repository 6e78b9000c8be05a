import { allowed, isHeaderField, refuse, type Verdict } from '@parley/protocol'

/** Tells whether a value is a set of labels, as headers and links carry it. */
export function isLabelSet(value: unknown): value is readonly string[] {
  return isHeaderField('labels', value) && Array.isArray(value)
}

/** Decides whether `labels` has every label of those above it; a label is never taken away (`delegation.label-removed`). */
export function decideLabels(above: readonly string[], labels: readonly string[]): Verdict {
  const removed = above.find((label) => !labels.includes(label))
  if (removed === undefined) return allowed
  return refuse('delegation.label-removed', `the label ${JSON.stringify(removed)} was taken away`)
}
