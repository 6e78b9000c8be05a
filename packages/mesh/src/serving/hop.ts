import type { AgentId, AgentName, Capability, Did, ErrorCode, InstanceDid, Usage } from '@parley/protocol'
import type { CallOptions } from '../calling/call-options.ts'
import type { CallStream, StreamOptions } from '../calling/call-stream.ts'
import type { ContractCapability } from '../contract/contract.ts'
import type { ContractEvent, EmitOptions, EmitOutcome } from '../contract/event.ts'
import type { EvidenceOf } from '../session/evidence-of.ts'
import type { DeclinedError, Outcome } from '../contract/outcome.ts'
import type { SagaCommand } from '../calling/saga-command.ts'

/** The verified sender of a request, with the trust that it has here. */
export interface HopCaller {
  readonly owner: Did
  readonly name: AgentName
  readonly instance: InstanceDid
  readonly kind: 'agent' | 'human'
  /** How a person signed in; absent for a program. */
  readonly signIn?: { readonly assurance: 1 | 2 | 3; readonly atMs: number }
  /** 0 to 1000: the lowest of the sender and everybody who handed the right on to it. */
  readonly score: number
  readonly tier: string
}

/** Marks a return value of a handler as a declared error. Made by `hop.decline`. */
export interface Declined<Declared = Readonly<Record<string, unknown>>> {
  readonly kind: 'declined'
  readonly error: DeclinedError<Declared>
}

/** Marks a return value of a handler as a failure that provably did nothing. Made by `hop.fail`. */
export interface NothingDone {
  readonly kind: 'nothing-done'
  readonly retryable: boolean
}

/** Marks a return value of a handler as a decided no with a code of the mesh. Made by `hop.refuse`. */
export interface HandlerRefusal {
  readonly kind: 'refusal'
  readonly code: ErrorCode
  readonly retryAfterMs?: number
}

/** What a handler is told about the hop that it serves. */
export interface Hop<Declared = Readonly<Record<string, unknown>>, Progress = undefined> {
  /** The request's id. */
  readonly id: string
  /** W3C trace id. */
  readonly trace: string
  readonly capability: Capability
  readonly caller: HopCaller
  /** The human or tenant at the root of the work, where the caller names one. */
  readonly onBehalfOf?: string
  readonly labels: readonly string[]
  /** What the rules of every node on the way here oblige this one to, in words that both sides know. */
  readonly obligations: readonly string[]
  /** How many hops of the same work came before this one, as the caller says. */
  readonly pathIndex: number
  /** The chain under which the caller acts; absent when it acts in its own right. */
  readonly delegation?: { readonly root: Did; readonly agents: readonly AgentId[]; readonly hash: string }
  /** What the caller handed on, under which this hop's calls act; absent when it handed nothing on. */
  readonly handed?: { readonly capabilities: readonly string[]; readonly expiresAtMs: number }
  readonly saga?: SagaCommand
  /** Aborts at the deadline, at a cancel and when the node closes. */
  readonly signal: AbortSignal
  /** Makes evidence of the request: bytes that prove to anybody that the caller's instance signed it. */
  evidence: EvidenceOf
  /** Milliseconds that are left of the caller's patience. */
  remainingMs(): number
  /** Declines with an error that the contract declares. Return its result. */
  decline<Name extends keyof Declared & string>(name: Name, details: Declared[Name]): Declined<Declared>
  /** Says that it broke and that nothing was done. Return its result. */
  fail(options?: { readonly retryable?: boolean }): NothingDone
  /** Says no with a code of the mesh, for instance `saga.stale-epoch`. Return its result. */
  refuse(code: ErrorCode, options?: { readonly retryAfterMs?: number }): HandlerRefusal
  /**
   * Takes long work on: from now on the caller waits for this lease, and no longer until its deadline. Renewed by each
   * `progress`; a lease that lapses ends the call as unknown on both sides. Throws `contract.invalid` for a capability
   * whose contract has no `progress`. At most 5 minutes; default 30,000 ms.
   */
  accept(leaseMs?: number): void
  /** Tells the caller how far the work is, and renews the lease. Rejects with `contract.output-invalid` for what does not fit. */
  progress(value: Progress): Promise<void>
  /**
   * Counts what serving uses up; the reply tells the caller. Call it before the effect: where a share of the caller's
   * chain is spendable at this agent, it rejects with `delegation.allowance-spent` for more than is left, and a handler
   * that lets the first such error pass ends refused.
   */
  use(usage: Usage): Promise<void>
  /**
   * Calls on, for this hop's caller: under the chain that it handed on, same trace, what is left of its time, its labels
   * and its `onBehalfOf`. Without such a chain it is refused (`delegation.not-handed-on`), unless the options name a chain
   * or say `authority: 'own'`.
   */
  call<Input, Output, Declared, Progress>(
    capability: ContractCapability<Input, Output, Declared, Output, unknown, Progress>,
    input: NoInfer<Input>,
    options?: CallOptions<NoInfer<Progress>>,
  ): Promise<Output>
  /** Like `call`, as a value. */
  tryCall<Input, Output, Declared, Progress>(
    capability: ContractCapability<Input, Output, Declared, Output, unknown, Progress>,
    input: NoInfer<Input>,
    options?: CallOptions<NoInfer<Progress>>,
  ): Promise<Outcome<Output, Declared>>
  /** Tells an event, with this hop's trace, labels (it may add some) and `onBehalfOf`; in its node's own right. */
  emit<Payload>(
    event: ContractEvent<Payload>,
    payload: NoInfer<Payload>,
    options?: Pick<EmitOptions, 'labels'>,
  ): Promise<EmitOutcome>
  /** Like `call`, for a capability that streams. */
  stream<Input, Output, Declared, Part, Progress>(
    capability: ContractCapability<Input, Output, Declared, Output, Part, Progress>,
    input: NoInfer<Input>,
    options?: StreamOptions<NoInfer<Progress>>,
  ): CallStream<Part, Output, Declared>
}
