import type { Capability, Risk } from '@parley/protocol'

/** Which side decides: the callee before it delivers, or the caller before it seals. */
export type PolicyDirection = 'inbound' | 'outbound'

/** What is asked: to do it, to undo what was done, or to say what became of it. */
export type PolicyPhase = 'do' | 'undo' | 'lookup' | 'close'

/** Whether a credential speaks for a program or for a person. */
export type PolicyPeerKind = 'agent' | 'human'

/** The five bands of trust, lowest first. */
export type PolicyTier = 'untrusted' | 'probationary' | 'standard' | 'trusted' | 'verified'

/** One side of a hop, as the deciding node knows it. Nothing here is a claim that the peer makes for itself. */
export interface PolicyPeer {
  /** Agent name, for instance `acme/desk`. */
  readonly name: string
  /** The owner's DID. */
  readonly owner: string
  /** The instance's did:key. */
  readonly instance: string
  readonly kind: PolicyPeerKind
  /** How strongly a person signed in, 1 to 3 (NIST SP 800-63B); 0 for a program. */
  readonly assurance: number
  /** Effective trust: the lowest in the delegation chain. Tier and score come from the same view. */
  readonly tier: PolicyTier
  /** 0 to 1000. */
  readonly score: number
  /** Whether its credential grants the action (as caller: to call it, as callee: to serve it). */
  readonly grants: boolean
  /** Whether it grants the action by its name, not by a wildcard. */
  readonly grantsByName: boolean
}

/** Under which delegation chain the caller acts, as it was verified. */
export interface PolicyDelegation {
  readonly present: boolean
  /** The owner DID that the chain starts from; empty if there is none. */
  readonly root: string
  readonly depth: number
  /** All constraints of the chain by argument, as the links state them. */
  readonly constraints: Readonly<Record<string, unknown>>
  /** What the deciding node knows to be left to spend; a part that has no limit is absent. */
  readonly left: {
    readonly calls?: number
    readonly tokens?: number
    readonly amount?: number
    readonly currency?: string
  }
}

/** How the judged side keeps the objective of the action, as the deciding node measured it. */
export interface PolicyObjective {
  /** Whether anything was measured yet; if not, the rest says what holds at the start. */
  readonly known: boolean
  /** Share of calls that shall be good, 0 to 1. */
  readonly target: number
  /** Share of the error budget that is left, 0 to 1. */
  readonly budgetLeft: number
  readonly breaker: 'closed' | 'open' | 'half-open'
}

/** Everything that a rule may read about one hop. Rules also see `peer`: the side that is judged. */
export interface PolicyInput {
  readonly action: Capability
  readonly direction: PolicyDirection
  readonly phase: PolicyPhase
  readonly risk: Risk
  readonly caller: PolicyPeer
  readonly callee: PolicyPeer
  /** The agent name at the root of the delegation chain; empty if the caller acts for itself. */
  readonly onBehalfOf: string
  readonly labels: readonly string[]
  /** What earlier hops of the same work obliged this one to. */
  readonly obligations: readonly string[]
  readonly delegation: PolicyDelegation
  /** `path` names the agents that the right to do this came through, as verified; the caller is the last. */
  readonly hop: { readonly index: number; readonly path: readonly string[] }
  /** `id` and `step` are empty and `attempt` is 0 outside a saga. */
  readonly saga: {
    readonly present: boolean
    readonly id: string
    readonly step: string
    readonly attempt: number
  }
  /** Called at most once a decision, and only if a rule reads `objective`. */
  readonly objective: () => PolicyObjective
  /** Returns the parsed JSON body. Called at most once a decision, and only if a rule reads `body`. */
  readonly body: () => unknown
  /** Milliseconds since the Unix epoch. Rules also see `time.hour` and `time.weekday` (UTC, 0 is Sunday). */
  readonly time: { readonly nowMs: number }
}

/** What a caller that acts in its own right is described with. */
export const noDelegation: PolicyDelegation = { present: false, root: '', depth: 0, constraints: {}, left: {} }

/** What holds of a peer of which nothing was measured. */
export const noObjective: PolicyObjective = { known: false, target: 0, budgetLeft: 1, breaker: 'closed' }
