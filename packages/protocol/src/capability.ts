/** What one agent asks another for: `service:operation` or `service:operation:qualifier`. */
export type Capability = `${string}:${string}`

/** How much harm a capability can do. Rings 3, 2, 1, 0 in this order. */
export type Risk = 'read' | 'reversible' | 'irreversible' | 'administrative'

const part = '[a-z0-9][a-z0-9_-]{0,62}'
const capabilityPattern = new RegExp(`^${part}:${part}(?::${part})?$`)
const servicePattern = new RegExp(`^${part}:\\*$`)

/** Tells whether `text` is a capability: two or three colon-separated parts of a-z, 0-9, `-`, `_`. */
export function isCapability(text: string): text is Capability {
  return capabilityPattern.test(text)
}

/** Tells whether `text` may stand in a credential: a capability, or `service:*`. A bare `*` is invalid everywhere. */
export function isCapabilityPattern(text: string): boolean {
  return capabilityPattern.test(text) || servicePattern.test(text)
}

/**
 * Tells whether `pattern` grants `capability`, which may itself be a pattern: equal, `service:*`, or broader at a colon
 * (`flights:reserve` grants `flights:reserve:sfo`). A narrow grant never satisfies a broad request; what is neither a
 * capability nor a pattern (a bare `*`, a service alone) grants nothing and is granted by nothing.
 */
export function capabilityCovers(pattern: string, capability: string): boolean {
  if (!isCapabilityPattern(pattern) || !isCapabilityPattern(capability)) return false
  if (pattern === capability) return true
  if (pattern.endsWith(':*')) return capability.startsWith(pattern.slice(0, -1))
  return capability.startsWith(`${pattern}:`)
}

/**
 * Tells for many capabilities or patterns whether one of `patterns` covers them, as `capabilityCovers` does for each pair:
 * lists come from strangers, so their lengths are not multiplied.
 */
export function createCoverage(patterns: readonly string[]): (capability: string) => boolean {
  const granted = new Set(patterns.filter(isCapabilityPattern))
  return (capability) => {
    if (!isCapabilityPattern(capability)) return false
    const [service = '', operation = ''] = capability.split(':')
    return [capability, `${service}:${operation}`, `${service}:*`].some((pattern) => granted.has(pattern))
  }
}
