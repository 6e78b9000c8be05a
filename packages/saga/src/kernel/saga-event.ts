import type { SignedLine } from '../receipt/signed-line.ts'
import type { Plan } from '../definition/plan.ts'

/** Where a step's fact comes from: the reply to the command, an answer to a lookup, or an outcome in the mailbox. */
export type FactSource = 'reply' | 'lookup' | 'mailbox'

/** The first event: everything that goes on without the definition's code. */
export interface StartedEvent {
  readonly type: 'started'
  readonly id: string
  /** The owner (a DID) under whom every command of the saga is sent: participants keep owners apart. */
  readonly owner: string
  readonly definition: { readonly name: string; readonly version: number; readonly fingerprint: string }
  readonly plan: Plan
  readonly input: unknown
  readonly expiresAtMs: number
  /** W3C trace id of all hops of the saga. */
  readonly trace: string
  readonly delegation?: readonly string[]
  /** Sagas of one key run one after the other. */
  readonly key?: string
}

/** The fence: whoever appended it last owns the saga, under an epoch that participants compare. */
export interface OwnedEvent {
  readonly type: 'owned'
  readonly instance: string
  readonly epoch: number
}

/** What a command was, as it left. */
export interface SentCommand {
  readonly phase: 'do' | 'undo' | 'lookup' | 'close'
  readonly attempt: number
  readonly epoch: number
  /** Leaf hash of the request, base64url. */
  readonly leaf: string
  /** The instance that was asked (a did:key). */
  readonly instance: string
}

/** What both sides signed of a command, which proves who did what under whose authority to whoever was not there. */
export interface ReceiptEvent {
  readonly type: 'receipt'
  readonly step: string
  readonly phase: SentCommand['phase']
  readonly attempt: number
  /** What the orchestrator signed; absent where the answer came to the mailbox, and another instance had asked. */
  readonly command?: SignedLine
  /** What the participant signed. */
  readonly answer: SignedLine
  /**
   * What opens the commitments to the bodies: the salts (base64url), the number of the participant's record, and the text
   * of the answer where the journal's output does not give it.
   */
  readonly opened?: {
    readonly command?: { readonly salt: string }
    readonly answer?: { readonly salt: string; readonly record?: number; readonly body?: string } | undefined
  }
}

/** A request for an approval, by its id and the digest of what would be done. */
export interface ApprovalAsked {
  readonly id: string
  readonly digest: string
}

/** What happened to a step. Each is durable before anything follows from it. */
export type StepEvent =
  /** A command is about to be sent. The first one holds the mapped input, which is never computed again. */
  | {
      readonly type: 'intended'
      readonly step: string
      readonly attempt: number
      readonly epoch: number
      readonly key: string
      readonly provider: string
      readonly input?: unknown
    }
  /** Nothing was sent to this provider, so the next one may be asked. */
  | {
      readonly type: 'provider-skipped'
      readonly step: string
      readonly provider: string
      readonly code: string
      readonly retryable: boolean
    }
  /** The step waits until an absolute time for a participant that cannot be reached now. */
  | {
      readonly type: 'deferred'
      readonly step: string
      readonly code: string
      readonly untilMs: number
      /** The request that people can answer, where that is what it waits for. */
      readonly approval?: ApprovalAsked
    }
  | { readonly type: 'committed'; readonly step: string; readonly by: FactSource; readonly output?: unknown }
  | {
      readonly type: 'declined'
      readonly step: string
      readonly by: FactSource
      readonly error: { readonly name: string; readonly details?: unknown }
      /** It may be asked again then, as another command. */
      readonly retryAtMs?: number
    }
  /** With `retryAtMs` the same command may be tried again then. */
  | { readonly type: 'refused'; readonly step: string; readonly code: string; readonly retryAtMs?: number }
  | { readonly type: 'failed'; readonly step: string; readonly code: string; readonly retryAtMs?: number }
  /** Nobody knows whether the last attempt was done. */
  | { readonly type: 'unknown'; readonly step: string; readonly code: string }
  /** A lookup says that the key was never done (`absent`), or that there is no answering it (`refused`). */
  | {
      readonly type: 'looked-up'
      readonly step: string
      readonly found: 'absent' | 'refused'
      readonly code?: string
      readonly retryAtMs: number
    }
  | { readonly type: 'undo-intended'; readonly step: string; readonly attempt: number; readonly epoch: number }
  | { readonly type: 'undone'; readonly step: string; readonly by: FactSource }
  /** The step's participant knows that the saga is over; with a code, it could not be told, and its locks lapse. */
  | { readonly type: 'closed'; readonly step: string; readonly code?: string }
  /** The bytes of a command are fixed and about to leave: an outcome counts only if it is of exactly them. */
  | ({ readonly type: 'sent'; readonly step: string } & SentCommand)
  | ReceiptEvent
  /** The participant took the command on for longer, and renews its lease. */
  | { readonly type: 'accepted'; readonly step: string; readonly attempt: number }
  /** Neither forward nor back can be proven; a human has to decide. */
  | { readonly type: 'stalled'; readonly step: string; readonly code: string }

/** What happened to a wait. */
export type WaitEvent =
  /** The saga came to it; `untilMs` is absolute, so that an outage does not lengthen it. */
  | { readonly type: 'wait-opened'; readonly wait: string; readonly untilMs?: number }
  /** Somebody signalled, possibly before the saga came to it. Only the first signal counts. */
  | { readonly type: 'signalled'; readonly wait: string; readonly value: unknown; readonly by?: string }
  /** Its time is over: that is what it waited for, or what it lapses by. */
  | { readonly type: 'wait-ended'; readonly wait: string; readonly late?: true }

/** What a human decided, signed with a human's credential. */
export interface DecidedEvent {
  readonly type: 'decided'
  readonly decision: HumanDecision
  /** The step that it is about; none for `cancel` and `abort`. */
  readonly about?: string
  /** What became of the step in truth, for `resolve`. */
  readonly fact?: 'committed' | 'not-done' | 'undone'
  /** What the step would have answered, for `resolve` as committed. */
  readonly output?: unknown
  readonly reason: string
  /** Who: a name of the mesh. */
  readonly by: string
  /** The signed declaration itself, for whoever verifies the journal. */
  readonly declaration: string
}

/** What a human may decide about a saga. */
export type HumanDecision = 'retry' | 'skip' | 'resolve' | 'cancel' | 'abort'

/** What happened to the saga as a whole. */
export type LifeEvent =
  /** Another saga of its key comes first. */
  | { readonly type: 'queued'; readonly behind: string }
  /** A chain for the steps that have none of their own, in place of the one before. */
  | { readonly type: 'authorised'; readonly delegation: readonly string[] }
  /** No process has the code of this version; the saga waits for one. */
  | { readonly type: 'awaiting-version'; readonly version: number }
  /** The way back begins. `step` is the one that led here; none for a cancel. */
  | { readonly type: 'turned'; readonly code: string; readonly step?: string; readonly reason?: string }
  /** `problem` says that the output could not be made; the effects stand. */
  | { readonly type: 'completed'; readonly output?: unknown; readonly problem?: string }
  | { readonly type: 'compensated' }
  /** Unwound, but for what a human let stand. */
  | { readonly type: 'aborted' }
  | { readonly type: 'stuck' }

/**
 * What stands for a saga that is over, in place of all that came before it: who it was, how it ended, and no body of it. The
 * entry's own link to the one before it is the head of what was removed, which an export of that still ends in.
 */
export interface SealedEvent {
  readonly type: 'sealed'
  /** The beginning of the chain, which is the stream's name: a seal belongs to no other stream. */
  readonly genesis: string
  readonly id: string
  readonly owner: string
  readonly definition: StartedEvent['definition']
  readonly expiresAtMs: number
  readonly trace: string
  readonly key?: string
  readonly epoch: number
  readonly instance: string
  /** How it ended, and when. */
  readonly ended: 'completed' | 'compensated' | 'aborted'
  readonly endedAtMs: number
  readonly turned?: { readonly code: string; readonly step?: string; readonly reason?: string }
  readonly problem?: string
  /** base64url SHA-256 of the input, its keys in order: a start with the same one is the same saga. Empty where it was erased. */
  readonly input: string
  /** Bodies stood beside the journal, which may be there still if the process died just then. */
  readonly bodies?: true
  /** What became of each step, and by whom. */
  readonly steps: Readonly<Record<string, SealedStep>>
}

/** One step of a sealed saga. */
export interface SealedStep {
  readonly status: string
  readonly capability: string
  readonly attempts: number
  readonly provider?: string
  readonly code?: string
}

/** One entry of a saga's journal. State is the fold of these. */
export type SagaEvent = SealedEvent | StartedEvent | OwnedEvent | StepEvent | WaitEvent | LifeEvent | DecidedEvent

/** Names every event type, so that a reader can refuse what it does not know. */
export const sagaEventTypes: Readonly<Record<SagaEvent['type'], 'saga' | 'step' | 'wait'>> = {
  started: 'saga',
  sealed: 'saga',
  owned: 'saga',
  intended: 'step',
  'provider-skipped': 'step',
  deferred: 'step',
  committed: 'step',
  declined: 'step',
  refused: 'step',
  failed: 'step',
  unknown: 'step',
  'looked-up': 'step',
  'undo-intended': 'step',
  undone: 'step',
  closed: 'step',
  accepted: 'step',
  sent: 'step',
  receipt: 'step',
  stalled: 'step',
  'awaiting-version': 'saga',
  turned: 'saga',
  completed: 'saga',
  compensated: 'saga',
  aborted: 'saga',
  stuck: 'saga',
  queued: 'saga',
  authorised: 'saga',
  decided: 'saga',
  'wait-opened': 'wait',
  signalled: 'wait',
  'wait-ended': 'wait',
}
