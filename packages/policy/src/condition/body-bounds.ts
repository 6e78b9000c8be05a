/** How deep a body may be nested for a rule to read it. */
export const maxBodyDepth = 16

/** How many values a body may hold for a rule to read it: what bounds the time of a condition that walks it. */
export const maxBodyValues = 4_096

/** Tells what is wrong with the size of a parsed JSON body; undefined if rules may read it. */
export function findBodyProblem(body: unknown): string | undefined {
  const left = countDown(body, 0, maxBodyValues)
  if (left >= 0) return undefined
  return left === tooDeep
    ? `the body is nested deeper than ${String(maxBodyDepth)}`
    : `the body holds more than ${String(maxBodyValues)} values`
}

const tooMany = -1
const tooDeep = -2

/** Takes the values of `value` off `left`; gives what is left, or which bound does not hold. */
function countDown(value: unknown, depth: number, left: number): number {
  let rest = left - 1
  if (rest < 0) return tooMany
  if (typeof value !== 'object' || value === null) return rest
  if (depth >= maxBodyDepth) return tooDeep
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      rest = countDown(item, depth + 1, rest)
      if (rest < 0) return rest
    }
    return rest
  }
  for (const key in value) {
    rest = countDown((value as Readonly<Record<string, unknown>>)[key], depth + 1, rest)
    if (rest < 0) return rest
  }
  return rest
}
