/** How deep a body may be nested for a rule to read it. */
export const maxBodyDepth = 16

/** How many values a body may hold for a rule to read it: what bounds the time of a condition that walks it. */
export const maxBodyValues = 4_096

/** Tells what is wrong with the size of a parsed JSON body; undefined if rules may read it. */
export function findBodyProblem(body: unknown): string | undefined {
  let values = 0
  const look = (value: unknown, depth: number): string | undefined => {
    if (++values > maxBodyValues) return `the body holds more than ${String(maxBodyValues)} values`
    if (typeof value !== 'object' || value === null) return undefined
    if (depth >= maxBodyDepth) return `the body is nested deeper than ${String(maxBodyDepth)}`
    if (Array.isArray(value)) {
      for (const item of value as readonly unknown[]) {
        const problem = look(item, depth + 1)
        if (problem !== undefined) return problem
      }
      return undefined
    }
    for (const key in value) {
      if (!Object.hasOwn(value, key)) continue
      const problem = look((value as Readonly<Record<string, unknown>>)[key], depth + 1)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  return look(body, 0)
}
