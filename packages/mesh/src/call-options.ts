import type { AgentName } from '@parley/protocol'
import type { SagaCommand } from './saga-command.ts'

/** How one call differs from the defaults. */
export interface CallOptions<Progress = unknown> {
  /** The agent to ask. Without it and `among`, an agent of the caller's own owner that serves the capability is chosen. */
  readonly to?: AgentName
  /**
   * Aliases of the owners whose agents may be asked, as this node's anchors call them, for instance `['budget', 'acme']`. An
   * instance is chosen among all of theirs; the order says nothing.
   */
  readonly among?: readonly string[]
  /** Milliseconds until the outcome is `unknown`; default 5,000. */
  readonly deadlineMs?: number
  /** A delegation chain, root first, to act under; without it the node acts in its own right. */
  readonly delegation?: readonly string[]
  /** The human or tenant for whom this is done. */
  readonly onBehalfOf?: string
  /** Labels of the data; they only grow down the chain. */
  readonly labels?: readonly string[]
  /** How many hops of the same work came before; set by `hop.call`. */
  readonly pathIndex?: number
  /** W3C trace id (32 hex digits) to continue; default a new one. */
  readonly trace?: string
  /** Takes the call back. The outcome is what the callee then says that it did, or `unknown`. */
  readonly signal?: AbortSignal
  /** Hears how far long work is. The work renews its lease with it, which then counts instead of `deadlineMs`. */
  onProgress?(progress: Progress): void
  /** Set by the saga runner: the command that this call carries. */
  readonly saga?: SagaCommand
}
