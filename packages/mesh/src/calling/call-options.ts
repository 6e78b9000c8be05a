import type { Allowance, Constraints } from '@parley/identity'
import type { AgentId, AgentName, Capability, InstanceDid, Usage } from '@parley/protocol'
import type { ContractCapability } from '../contract/contract.ts'
import type { SagaCommand } from './saga-command.ts'

/** A request whose bytes are fixed, before they leave. */
export interface SealedRequest {
  /** Its leaf hash, base64url: what answers and outcomes in the mailbox name. */
  readonly leaf: string
  readonly peer: AgentId & { readonly instance: InstanceDid }
}

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
  /** A delegation chain, root first, to act under; without it the node acts in its own right, or for its caller in a handler. */
  readonly delegation?: readonly string[]
  /**
   * In a handler: the node's own authority and not its caller's. A call from a handler whose caller handed nothing on is
   * refused without it.
   */
  readonly authority?: 'own'
  /**
   * Hands capabilities to the callee's name, to call on in this node's stead: by a link of this node under
   * `delegateFrom`, else under the chain that the call itself acts under.
   */
  readonly delegate?: readonly (Capability | Pick<ContractCapability, 'capability'>)[]
  readonly delegateFrom?: readonly string[]
  /** Further constraints on the arguments, for `delegate`. */
  readonly constraints?: Constraints
  /** The share that `delegate` hands on; it is taken off what this node may spend. */
  readonly allowance?: Allowance
  /** How long the link of `delegate` lives, in milliseconds; default 60,000, at most as long as the chain above it. */
  readonly forMs?: number
  /** What the call may use at most, where its chain has an allowance; default all that is left, until the reply tells. */
  readonly spend?: Pick<Usage, 'tokens' | 'money'>
  /** The human or tenant for whom this is done. */
  readonly onBehalfOf?: string
  /**
   * Signed answers of people: what is about a request of this node is taken in here, and the rest is shown to the callee. At
   * most 8.
   */
  readonly approvals?: readonly string[]
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
  /**
   * Has the outcome sent to the mailbox of this node's name as well, where every instance of the name that listens hears
   * it (`MeshNode.onOutcome`): it outlives the one that asked.
   */
  readonly mailbox?: boolean
  /**
   * Is told what will be sent, and to whom, and is waited for: what has to be known should this process end now. Once more
   * if the request has to be sealed anew. What it throws refuses the call, of which nothing was sent.
   */
  beforeSend?(request: SealedRequest): void | Promise<void>
  /** Set by the saga runner: the command that this call carries. */
  readonly saga?: SagaCommand
}
