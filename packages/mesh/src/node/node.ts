import type { Clock, Logger, Random, Store } from '@parley/ports'
import type { AgentId, AgentName, Capability, Did, InstanceDid, Verdict } from '@parley/protocol'
import type { PolicyPart } from '@parley/policy'
import type { AgentCard } from '../discovery/agent-card.ts'
import type { CallOptions } from '../calling/call-options.ts'
import type { CallStream, StreamOptions } from '../calling/call-stream.ts'
import type { Contract, ContractCapability } from '../contract/contract.ts'
import type { ContractEvent, EmitOptions, EmitOutcome } from '../contract/event.ts'
import type { DeadLetters } from '../dead-letters/dead-letters.ts'
import type { Listener } from '../events/happened.ts'
import type { OutcomeListener } from '../mailbox/mailed-outcome.ts'
import type { NodePolicy } from '../policy/node-policy.ts'
import type { Outcome } from '../contract/outcome.ts'
import type { Serves } from '../serving/serve.ts'
import type { NodeTrust } from '../trust/node-trust.ts'

/** Whether a node works, and why not. */
export interface NodeHealth {
  /** False once only a new process helps: the node is closed, or another one was met with its key. */
  readonly live: boolean
  /** It takes and makes calls now. */
  readonly ready: boolean
  /** Why it is not ready; empty when it is. */
  readonly reasons: readonly string[]
  /** Milliseconds until the credential expires, below 0 once it has; known after `start`. Renewal begins at a third. */
  readonly credentialRemainingMs?: number
}

/** A fact that a node records besides its hops, for instance a transition of a saga. Flat and JSON-safe. */
export type NodeRecord = Readonly<Record<string, string | number | boolean | null | undefined>>

/** One running instance of an agent on the mesh. */
export interface MeshNode extends AsyncDisposable, NodePolicy {
  readonly name: AgentName
  /** The owner that vouches for the name, by this node's anchors. Throws `identity.name-not-owned` if none covers it. */
  readonly owner: Did
  readonly instance: InstanceDid
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** What this node makes of its peers, and what an operator says of it. */
  readonly trust: NodeTrust
  /** Commands of sagas that could not be served here. */
  readonly deadLetters: DeadLetters
  /** Keeps the trust ledger, the audit log, and what packages above put there under their own prefix. */
  readonly store: Store
  /** Registers what serves a contract. Before `start`; throws `mesh.config-invalid` for a contract not in `serves`. */
  serve<C extends Contract>(contract: C, serves: Serves<C>): void
  /**
   * Listens to an event, with one listener. Before `start`; throws `mesh.config-invalid` for an event not in `listens`.
   * Events come at most once, and in no order between senders.
   */
  on<Payload>(event: ContractEvent<Payload>, listener: Listener<NoInfer<Payload>>): void
  /**
   * Listens to the mailbox of this node's name: hears the outcome of every call with `mailbox: true` that an instance of
   * the name made, its own among them. At most once from the wire, and once more after a restart at worst; what nobody
   * hears is lost, and looked up. Before `start`; every listener hears all.
   */
  onOutcome(listener: OutcomeListener): void
  /** Tells everybody who listens to an event of a contract that this node serves. Nobody answers. */
  emit<Payload>(event: ContractEvent<Payload>, payload: NoInfer<Payload>, options?: EmitOptions): Promise<EmitOutcome>
  /** Gets the credential, opens log and ledger, subscribes and announces. */
  start(): Promise<void>
  health(): NodeHealth
  /** Takes no new calls, and resolves when those in flight ended. */
  drain(): Promise<void>
  /** Drains for at most a second, then ends everything. Idempotent. */
  close(): Promise<void>
  /** Calls and returns the output; every other outcome throws a `CallError`. */
  call<Input, Output, Declared, Progress>(
    capability: ContractCapability<Input, Output, Declared, Output, unknown, Progress>,
    input: NoInfer<Input>,
    options?: CallOptions<NoInfer<Progress>>,
  ): Promise<Output>
  /** Calls and returns the outcome, whichever it is. Never throws for what a peer or the mesh does. */
  tryCall<Input, Output, Declared, Progress>(
    capability: ContractCapability<Input, Output, Declared, Output, unknown, Progress>,
    input: NoInfer<Input>,
    options?: CallOptions<NoInfer<Progress>>,
  ): Promise<Outcome<Output, Declared>>
  /** Calls a capability that streams, and gives its parts as they come. Without `deadlineMs`, the whole may take a minute. */
  stream<Input, Output, Declared, Part, Progress>(
    capability: ContractCapability<Input, Output, Declared, Output, Part, Progress>,
    input: NoInfer<Input>,
    options?: StreamOptions<NoInfer<Progress>>,
  ): CallStream<Part, Output, Declared>
  /**
   * Names the agents that serve a capability now, each once: of this node's own owner, or owner by owner of those that `among`
   * lists by their alias. They are whom a call without `to` could go to. Empty before `start`; an alias that no anchor has
   * names nobody.
   */
  providers(capability: Capability, among?: readonly string[]): readonly AgentName[]
  /**
   * Asks a live instance of an agent what it serves, with the schemas: enough to write a call, or a model's list of tools.
   * Resolves with undefined if nobody of that name answers within `timeoutMs` (default 2,000).
   */
  card(name: AgentName, timeoutMs?: number): Promise<AgentCard | undefined>
  /** Resolves a name under this node's anchors; undefined when no anchor has its alias. */
  resolve(name: AgentName): AgentId | undefined
  /**
   * Takes an order of an owner in: it is in force when this resolves, kept, and told to everybody. Refuses as values, with
   * `identity.order-gap` where orders before it are missing (it is in force all the same). Rejects before `start`.
   */
  acceptOrder(order: string): Promise<Verdict>
  /**
   * Puts other policy documents in force, all at once, from the next decision on: when this resolves, or a moment before.
   * When one of them has a mistake, rejects with `policy.invalid` and keeps those that are in force; so too where the node has
   * `policySignedBy` and their `release` is missing or of something else (`policy.not-signed`), or older than one before
   * (`policy.outdated`). Either way it is recorded. Rejects before `start`.
   */
  reloadPolicy(parts: readonly PolicyPart[], release?: string): Promise<void>
  /** Writes an audit record of `kind`; returns its sequence number. Throws `hop.unrecorded` when the log cannot take it. */
  record(kind: string, fields: NodeRecord): number
}
