/** Obligations travel as labels of their own, which only grow down the chain and stand in the signed header. */
const prefix = 'must:'
const none: readonly string[] = []

/** Reads the obligations among labels. */
export function obligationsOf(labels: readonly string[] | undefined): readonly string[] {
  if (labels === undefined || !labels.some((label) => label.startsWith(prefix))) return none
  return labels.flatMap((label) => (label.startsWith(prefix) ? [label.slice(prefix.length)] : []))
}

/** Adds obligations to labels. */
export function withObligations(
  labels: readonly string[] | undefined,
  obligations: readonly string[],
): readonly string[] {
  return [...new Set([...(labels ?? none), ...obligations.map((obligation) => prefix + obligation)])]
}
