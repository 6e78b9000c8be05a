import { isCapability } from '@parley/protocol'

const part = /^[a-z0-9][a-z0-9_-]{0,62}$/

/** The names by which the toolkit's documents may call a capability. */
export interface CapabilityNames {
  /** `mail:send_email:bulk`. */
  readonly capability: string
  /** `send_email`. */
  readonly operation: string
  /** `mail.send_email`. */
  readonly dotted: string
}

/**
 * Names a capability as the toolkit would: it knows one flat word for an action or a tool, we know service and operation.
 * A word means a capability if it is the whole of it, its operation, or service and operation joined by a dot.
 */
export function namesOfCapability(capability: string): CapabilityNames {
  const [service = '', operation = ''] = capability.split(':')
  return { capability, operation, dotted: `${service}.${operation}` }
}

/** Tells whether a word of a document means the capability. */
export function wordMeans(word: string, names: CapabilityNames): boolean {
  return word === names.operation || word === names.dotted || word === names.capability
}

/** Tells whether any capability can be meant by `word`; one that cannot would make its rule silently useless. */
export function isCapabilityWord(word: string): boolean {
  if (isCapability(word)) return true
  const parts = word.split('.')
  return parts.length <= 2 && parts.every((name) => part.test(name))
}
