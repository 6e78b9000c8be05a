import type { MeshError, Refusal, Verdict } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import type { DataKeys } from '../journal/data-keys.ts'
import type { JournaledEvent } from '../journal/journal-format.ts'
import type { SagaView } from './describe-saga.ts'
import type { SagaStats } from './saga-gauge.ts'
import type { SagaRun } from './saga-run.ts'
import type { VerifyHuman } from './verify-human.ts'

/** What a process needs to run sagas. */
export interface SagasOptions {
  /** Every version that may still be under way; new sagas take the one that they are started with. */
  readonly definitions: readonly SagaDefinition[]
  /** Most sagas of one definition worked on at a time, where the definition does not say; default 1,000. */
  readonly concurrency?: number
  /** Most sagas of one definition that may wait for a place, default 10,000; beyond it a start is refused. */
  readonly maxBacklog?: number
  /** Milliseconds without a heartbeat of an instance after which another takes its sagas; default 5,000. */
  readonly leaseMs?: number
  /** Most sagas taken over at the same time after an outage; default 32. */
  readonly recoveryConcurrency?: number
  /**
   * Has every outcome sent to the mailbox of the agent's name as well, where the instance that goes on with a saga hears it.
   * Costs an append a command, before it leaves. Call `createSagas` before the node starts.
   */
  readonly mailbox?: boolean
  /**
   * Milliseconds that the journal of a saga is kept whole after its end; then a summary without bodies takes its place, and a
   * start with its id is still the same saga. Default 30 days, `Infinity` for ever.
   */
  readonly keepEndedMs?: number
  /**
   * Hears of each saga that gets stuck here, or is found so: a human is needed. It is in the log (`saga.stuck`) and the audit
   * record as well.
   */
  readonly onStuck?: (view: SagaView) => void
  /**
   * Gives each saga a data key that its bodies (inputs, outputs, signals) are encrypted by, so that destroying it erases them.
   * All instances of the name need it. Default none: bodies are in the clear.
   */
  readonly dataKeys?: DataKeys
  /** Says whether a declaration is of a human who may decide about sagas. Without it nobody may. */
  readonly verifyHuman?: VerifyHuman
}

/** How one saga is started. */
export interface StartOptions {
  /** Unique under the agent's name: starting it again with the same input returns the same saga. */
  readonly id: string
  /** Sagas of this agent with the same key run one after the other, in the order of their starts. */
  readonly key?: string
  /** The chain that all steps act under which have none of their own, root first. */
  readonly delegation?: readonly string[]
}

/** A saga that this process cannot go on with; the others run on. */
export interface StoppedSaga {
  readonly id: string
  readonly error: MeshError
}

/** How busy the sagas of one definition are in this process. */
export interface SagaLoad {
  readonly definition: string
  /** Sagas that are worked on. */
  readonly running: number
  /** Sagas that wait for a place. */
  readonly waiting: number
}

/** The sagas of one agent, run by this process. */
export interface Sagas extends AsyncDisposable {
  /**
   * Starts a saga; resolves once it is durable. Rejects with `contract.input-invalid`, `saga.id-invalid`,
   * `saga.id-conflict` (the id has another definition or input), `saga.version-unknown` (not among the definitions),
   * `saga.version-conflict`, `saga.owner-changed` (the name has another owner than when the saga began),
   * `saga.backlog-full`, `saga.closed`.
   */
  start<Input, Output>(
    definition: SagaDefinition<Input, Output>,
    input: NoInfer<Input>,
    options: StartOptions,
  ): Promise<SagaRun<Output>>
  /** Watches a saga of this agent, wherever it runs. Rejects with `saga.unknown`, `saga.journal-corrupt`. */
  attach(id: string): Promise<SagaRun>
  /** Reads a saga of this agent as it is now. Rejects with `saga.unknown`, `saga.journal-corrupt`. */
  show(id: string): Promise<{ readonly view: SagaView; readonly events: readonly JournaledEvent[] }>
  /**
   * Takes over every unfinished saga of this agent's name whose instance is gone, and watches from then on for others that
   * leave theirs: when their lease lapses, or at once when they close. Call it after the node started. Resolves with the ids
   * of those that were taken over now, for `attach`.
   */
  resume(): Promise<{ readonly adopted: readonly string[]; readonly stopped: readonly StoppedSaga[] }>
  /** Lists the sagas of this agent's name, whoever drives them; unreadable ones as stopped. */
  list(): Promise<{ readonly sagas: readonly SagaView[]; readonly stopped: readonly StoppedSaga[] }>
  /**
   * Does what a human declared about a saga: retry, skip or resolve a stuck step, cancel, abort. Refused with
   * `saga.decision-refused`, `saga.unknown`, or as the declaration does not verify.
   */
  decide(declaration: string): Promise<Verdict | Refusal>
  /**
   * Compacts what ended longer ago than `keepEndedMs`: journals to a summary, queues of keys to the tickets that count.
   * `resume` sees that it happens now and then. Resolves with the ids of the sagas that were compacted now.
   */
  compact(): Promise<readonly string[]>
  /**
   * Destroys the data key of a saga that is over, and what is stored of its bodies; its chain stays checkable. Idempotent.
   * Refused with `saga.unknown`, `saga.not-over`, and `saga.not-erasable` where bodies are in the clear.
   */
  erase(id: string): Promise<Verdict>
  /** How busy each definition is. */
  load(): readonly SagaLoad[]
  /**
   * How the sagas stand that this process has, by definition: for metrics. What is stuck is driven by nobody, and counted by
   * every instance that looks for orphans.
   */
  stats(): readonly SagaStats[]
  /** Sends nothing more, and resolves when what is under way was answered: what is handed over then is known. */
  drain(): Promise<void>
  /**
   * Stops driving, and gives the lease up: nothing is lost, and another instance of the name goes on at once. Idempotent.
   */
  close(): Promise<void>
}
