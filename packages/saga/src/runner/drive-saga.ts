import { allowed, isMeshError, MeshError, refuse, type Refusal, type Verdict } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import type { PlanStep } from '../definition/plan.ts'
import type { JournaledEvent } from '../journal/journal-format.ts'
import type { SagaJournal } from '../journal/saga-journal.ts'
import type { PaperShelf } from '../receipt/paper-shelf.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import { interpretOutcome, type Moment, type StepCall } from '../kernel/interpret-outcome.ts'
import type { Proposal } from '../kernel/propose.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isEnded, isOver, type SagaState } from '../kernel/saga-state.ts'
import { advanceSaga, type Advance } from './advance-saga.ts'
import { createCallBoard, type StoppedStep } from './call-board.ts'
import type { Place } from './places.ts'
import type { Preparation } from './prepare-step.ts'
import { publishEvents } from './publish-events.ts'
import { createSagaFeed, type SagaFeed } from './saga-feed.ts'
import type { SagaNode } from './saga-node.ts'
import { keepReceipt, withReceipt } from '../receipt/step-receipt.ts'
import { callStep } from './step-call.ts'

// I1 Nothing is sent before its intent is durable, and nothing follows from an outcome before that is durable.
// I2 What became known and what follows from it go into one append.
// I3 Every append is at the position that this driver knows. A conflict with another owner ends driving; what somebody
//    else added without taking the saga is taken in, and all is decided anew.
// I4 A reply that matches nothing outstanding changes nothing.
// I5 Nothing is sent without a place, and a saga that waits for somebody has none.
// I6 A driver that parked does nothing any more: the journal has everything, and another driver goes on from it.

/** What a driver starts from. */
export interface DriveOptions {
  readonly node: SagaNode
  readonly journal: SagaJournal
  readonly definition?: SagaDefinition
  /** What is in the journal. */
  readonly past: readonly JournaledEvent[]
  /** The fold of the past, where there is one. */
  readonly state?: SagaState
  /** What this driver begins with, and writes first. */
  readonly unsaved: readonly SagaEvent[]
  readonly place: Place
  /** Where the credentials that receipts name are kept. */
  readonly papers: PaperShelf
  /** Outcomes come to the mailbox, too. */
  readonly mailbox: boolean
  /** Resolves when no other saga comes first, if any does. */
  readonly gate?: Promise<void>
  /** The feed that others hold of this saga; it is brought up to date. */
  readonly feed?: SagaFeed
  /** Told of each state that became durable, up to the last. */
  readonly onMoved?: (state: SagaState) => void
  /** The saga waits for somebody, who may take long. */
  readonly onRest?: () => void
}

/** Drives one saga in this process. */
export interface SagaDriver {
  readonly feed: SagaFeed
  /** Adds what somebody proposes; resolves once it is durable. */
  note(propose: Proposal): Promise<Verdict>
  /** Takes back what is under way, and tells what became of it, by step. */
  stopCalls(): Promise<Readonly<Record<string, StoppedStep>>>
  /** Somebody else may have added something to the journal. */
  look(): void
  /** Lets go of a saga that waits for somebody, and says when it has to be driven again; undefined where it goes on. */
  park(): { readonly wakeAtMs: number | undefined } | undefined
  /** Sends nothing more; resolves when what is under way was answered and that is durable. */
  drain(): Promise<void>
  /** Stops driving; resolves when no append is under way any more. What is in flight is left to the next owner. */
  stop(error: Error): Promise<void>
  /** Resolves when the saga ended or driving stopped. */
  readonly done: Promise<void>
}

/** Something that came in: what it means is decided when its turn comes, on the state of then. */
interface Mail {
  readonly open: Proposal
  /** The events are durable, or it was refused. */
  settled?(refusal?: Refusal): void
}

/** The longest timer: a wake too early only looks again. */
const maxSleepMs = 60 * 60 * 1000

/** Begins to drive a saga; resolves once its first events are durable. Rejects as `SagaJournal.append` does. */
export async function driveSaga(options: DriveOptions): Promise<SagaDriver> {
  const { node, journal, definition, past, unsaved, place, papers, gate, mailbox: isMailed } = options
  const { clock, random } = node
  const calls = createCallBoard()
  let mailbox: Mail[] = []
  let pumping: Promise<void> | undefined
  let cancelTimer = (): void => undefined
  let placed = gate === undefined && place.tryTake()
  let entering = false
  let isStale = false
  let isDraining = false
  let isParked = false
  let wakeAtMs: number | undefined
  const done = Promise.withResolvers<undefined>()

  const moment = (): Moment => ({ nowMs: clock.now(), random: random.float() })
  const prepare = (state: SagaState, plan?: PlanStep): Preparation => ({
    state,
    // A plan that names its providers asks for no others.
    providers: plan && !plan.providers ? node.providers(plan.capability, plan.among) : [],
    name: node.name,
    moment: moment(),
    ...(definition && { definition }),
  })
  const advance = (state: SagaState): Advance =>
    placed && !isDraining
      ? advanceSaga(state, { nowMs: clock.now(), busy: calls.busy, prepare })
      : { state, events: [], calls: [] }

  const perform = async (call: StepCall): Promise<void> => {
    const { signal, ended } = calls.begin(call)
    try {
      let isAccepted = false
      const outcome = await callStep(node, feed.state, call, definition, {
        journal: journal.head().hash,
        ...(call.phase === 'do' && { signal }),
        ...(isMailed && {
          mailbox: true,
          beforeSend: async ({ leaf, peer: { instance } }) => {
            const command = { phase: call.phase, attempt: call.attempt, epoch: feed.state.epoch, leaf, instance }
            const written = await note(() => [{ type: 'sent', step: call.step, ...command }])
            if (written.kind === 'deny') throw new MeshError(written.code, written.reason)
          },
        }),
        onProgress() {
          if (isAccepted || call.phase !== 'do') return
          isAccepted = true
          post({ open: () => [{ type: 'accepted', step: call.step, attempt: call.attempt }] })
        },
      })
      const keeping = outcome.hop.receipt && keepReceipt(papers, outcome.hop.receipt)
      const receipt = keeping instanceof Promise ? await keeping : keeping
      post({
        open(state) {
          ended(outcome)
          const events = interpretOutcome(state, call, outcome, moment())
          if (events.length === 0)
            node.logger.warn('saga.reply-ignored', { saga: state.started.id, step: call.step, attempt: call.attempt })
          return withReceipt(state, call, receipt, events)
        },
      })
    } catch (error) {
      stop(toError(error))
    }
  }

  const post = (mail: Mail): void => {
    if (isParked) return
    mailbox.push(mail)
    pumping ??= pump().finally(() => {
      pumping = undefined
      if (mailbox.length > 0 && !feed.stopped) post({ open: () => [] })
    })
  }

  const pump = async (): Promise<void> => {
    try {
      while (mailbox.length > 0 && !isStopped()) {
        const mails = mailbox
        mailbox = []
        if (isStale) await takeIn()
        enter()
        await write(mails)
      }
    } catch (error) {
      stop(toError(error))
    }
  }

  /** Opens the mails, goes on from there, and makes all of it durable: anew if somebody else wrote first. */
  const write = async (mails: readonly Mail[]): Promise<void> => {
    for (let isWritten = false; !isWritten && !isStopped();) {
      const events: SagaEvent[] = []
      const refused = new Map<Mail, Refusal>()
      let state = feed.state
      for (const mail of mails) {
        const opened = mail.open(state)
        if ('kind' in opened) refused.set(mail, opened)
        else {
          events.push(...opened)
          state = foldSaga(opened, state)
        }
      }
      const next = advance(state)
      isWritten = await append([...events, ...next.events], next.state)
      if (!isWritten || isStopped()) continue
      act(next)
      for (const mail of mails) mail.settled?.(refused.get(mail))
    }
  }

  /** Appends; tells whether it did. Takes in what was added by others, who did not take the saga. */
  const append = async (events: readonly SagaEvent[], next: SagaState): Promise<boolean> => {
    if (events.length === 0) return true
    try {
      const entries = await journal.append(events)
      if (!isStopped()) show(entries, next)
      return true
    } catch (error) {
      if (!isMeshError(error) || error.code !== 'saga.not-owned' || !(await takeIn())) throw error
      return false
    }
  }

  /** Takes in what others added; false if somebody took the saga, or nobody added anything. */
  const takeIn = async (): Promise<boolean> => {
    isStale = false
    const notes = await journal.read()
    const isTaken = notes.some(({ event }) => event.type === 'owned')
    if (notes.length > 0 && !isTaken) show(notes)
    else if (isTaken)
      throw new MeshError('saga.not-owned', `another instance took the saga "${feed.state.started.id}" over`)
    return notes.length > 0
  }

  const show = (entries: readonly JournaledEvent[], next?: SagaState): void => {
    const wasOver = isOver(feed.state)
    feed.push(entries, next)
    publishEvents(node, feed.state, entries)
    if (!wasOver) options.onMoved?.(feed.state)
  }

  const act = (next: Advance): void => {
    for (const call of next.calls) void perform(call)
    cancelTimer()
    if (isEnded(feed.state)) leave()
    else {
      if (placed) wakeAtMs = next.wakeAtMs
      if (next.wakeAtMs !== undefined) {
        const sleepMs = Math.min(maxSleepMs, Math.max(0, next.wakeAtMs - clock.now()))
        cancelTimer = clock.setTimer(() => post({ open: () => [] }), sleepMs)
      }
      rest()
    }
  }

  /** Takes a place for what comes, unless it has one: I5. Until then mail is written, and nothing follows from it. */
  const enter = (): void => {
    if (placed || entering) return
    entering = true
    void (gate ?? Promise.resolve())
      .then(() => place.take())
      .then(() => {
        entering = false
        if (isStopped() || isEnded(feed.state)) return place.give()
        placed = true
        post({ open: () => [] })
      })
  }

  const rest = (): void => {
    const { waiting } = feed.state
    if (!placed || calls.busy.size > 0 || !waiting || !restful.has(waiting.for)) return
    placed = false
    place.give()
    options.onRest?.()
  }

  const leave = (): void => {
    if (placed) place.give()
    placed = false
    done.resolve(undefined)
  }

  const note = (propose: Proposal): Promise<Verdict> => {
    const { promise, resolve } = Promise.withResolvers<Verdict>()
    post({ open: propose, settled: (refusal) => resolve(refusal ?? allowed) })
    // A driver that stops answers nobody's mail any more.
    void done.promise.then(() => {
      resolve(refuse('saga.not-owned', 'the saga ended, or this process stopped driving it, before it was heard'))
    })
    return promise
  }

  const isStopped = (): boolean => feed.stopped !== undefined
  const stop = (error: Error): void => {
    if (isEnded(feed.state) || isStopped()) return
    cancelTimer()
    feed.stop(error)
    leave()
  }

  const begun = foldSaga(unsaved, options.state)
  const first = advance(begun)
  const events = [...unsaved, ...first.events]
  const wasPlaced = placed
  let entries: readonly JournaledEvent[]
  try {
    entries = events.length === 0 ? [] : await journal.append(events)
  } catch (error) {
    if (placed) place.give()
    throw error
  }
  const feed = options.feed ?? createSagaFeed(past, begun)
  feed.push([...past.slice(feed.events.length), ...entries], first.state)
  try {
    publishEvents(node, feed.state, entries)
    options.onMoved?.(feed.state)
    act(first)
    if (!wasPlaced && !isEnded(feed.state)) enter()
  } catch (error) {
    stop(toError(error))
  }

  return {
    feed,
    done: done.promise,
    // A driver that stops is told no outcome any more.
    stopCalls: () => Promise.race([calls.stop(), done.promise.then(() => ({}))]),
    note,
    look() {
      isStale = true
      post({ open: () => [] })
    },
    park() {
      const isAtRest = !placed && !entering && !pumping && mailbox.length === 0 && calls.busy.size === 0
      if (!isAtRest || isStopped() || isEnded(feed.state)) return undefined
      cancelTimer()
      isParked = true
      return { wakeAtMs }
    },
    async drain() {
      isDraining = true
      // What is being written now may still send. Not every answer changes the saga, and one that is over waits for none.
      while (!isStopped() && !isEnded(feed.state) && (pumping || calls.busy.size > 0))
        await Promise.race([pumping ?? calls.answered(), done.promise])
      await pumping
    },
    async stop(error) {
      if (isParked) return
      stop(error)
      await pumping
    },
  }
}

/** Waits for somebody, which may be long: others get the place. */
const restful: ReadonlySet<string> = new Set(['signal', 'time', 'approval', 'authority', 'allowance', 'version'])

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('a saga could not be driven on', { cause: error })
}
