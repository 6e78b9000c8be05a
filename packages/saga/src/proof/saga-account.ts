import type { VerifiedCredential } from '@parley/identity'
import type { AgentId, AgentName, Did, ErrorCode, InstanceDid } from '@parley/protocol'
import type { SagaStatus } from '../kernel/life-machine.ts'
import type { HumanDecision, SentCommand } from '../kernel/saga-event.ts'

/** An instance that was shown to hold a credential of its name when it signed. */
export type SignedBy = Pick<VerifiedCredential, 'owner' | 'name' | 'instance'>

/** By what right the orchestrator gave a command. */
export type CommandAuthority =
  /** Its own credential lets it call the capability. */
  | { readonly kind: 'own' }
  /** A chain of delegations covers the capability, from its root to the orchestrator. */
  | { readonly kind: 'delegated'; readonly root: Did; readonly agents: readonly AgentId[]; readonly chain: string }
  /** Undo and lookup: the participant's memory of the command is the authority. */
  | { readonly kind: 'inbox' }

/** What a signature says of a body: shown by it, not in the file, or in the file and not shown. */
export type BodyProof = 'signed' | 'apart' | 'claimed'

/** One fact about a step, and who vouches for it. */
export interface StepFact {
  /** The line of the file that says it. */
  readonly line: number
  readonly atMs: number
  readonly step: string
  readonly capability: string
  readonly fact: 'committed' | 'declined' | 'refused' | 'failed' | 'undone' | 'absent'
  readonly phase: SentCommand['phase']
  readonly attempt: number
  readonly epoch: number
  readonly code?: string
  /** `signed` by the participant; decided by a `human`; or only said by the orchestrator, which proves nothing. */
  readonly proof: 'signed' | 'human' | 'claimed'
  /** Who did it, and signed that. */
  readonly by?: SignedBy
  /** Who commanded it, and signed that; absent where the answer came to the mailbox of a successor. */
  readonly commanded?: SignedBy & { readonly authority: CommandAuthority; readonly signedAtMs: number }
  readonly input?: BodyProof
  readonly output?: BodyProof
}

/** What a person decided, and signed. */
export interface ProvenDecision {
  readonly line: number
  readonly atMs: number
  readonly decision: HumanDecision
  readonly about?: string
  readonly reason: string
  readonly by: { readonly owner: Did; readonly name: AgentName; readonly instance: InstanceDid }
}

/** What an exported saga shows. */
export interface SagaAccount {
  readonly agent: AgentName
  readonly owner: string
  readonly saga: string
  readonly definition: { readonly name: string; readonly version: number; readonly fingerprint: string }
  /** What its journal comes to. One that is not over may have gone on after the export. */
  readonly status: SagaStatus
  readonly startedAtMs: number
  /** The time of the last entry. */
  readonly lastAtMs: number
  readonly entries: number
  /** Hash of the last entry. */
  readonly head: string
  readonly facts: readonly StepFact[]
  readonly decisions: readonly ProvenDecision[]
  /** Steps whose last fact nobody but the orchestrator vouches for. */
  readonly claimed: readonly string[]
}

/** What verifying an exported saga comes to. */
export type SagaVerdict =
  /** The last fact about every step is signed by who did it, or decided by a person. */
  | { readonly kind: 'proved'; readonly account: SagaAccount }
  /** Nothing contradicts it, but for some steps there is only the orchestrator's word. */
  | { readonly kind: 'claimed'; readonly account: SagaAccount }
  /** The file speaks of an owner whom the verifier's anchors do not accept: that proves nothing, against nobody. */
  | { readonly kind: 'unaccepted'; readonly line: number; readonly code: ErrorCode; readonly reason: string }
  | { readonly kind: 'tampered'; readonly line: number; readonly code: ErrorCode; readonly reason: string }
