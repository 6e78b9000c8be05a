import { compilePolicy } from '@parley/policy'
import type { NodeParts } from '../node/node-parts.ts'

/** What is decided by where no document of the user is asked: credentials, and the ring table. */
const builtIn = compilePolicy([])

/**
 * Gives the parts with which a node asks its own issuer for a credential. That is no work of the agent: documents that are
 * about its work could only keep it from starting, or let its credential run out. So the built-in documents alone decide,
 * and the record carries their hash. Whatever calls through the node itself, a handler too, is held to every document.
 */
export function issuerParts(parts: NodeParts): NodeParts {
  return { ...parts, policy: () => builtIn, shadowPolicy: undefined }
}
