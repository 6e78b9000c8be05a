import { refuse, allowed, type Verdict } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import type { PlanStep } from '../definition/plan.ts'
import type { JournaledEvent } from '../journal/journal-format.ts'
import type { SagaJournal } from '../journal/saga-journal.ts'
import { decideNext, type Decision } from '../kernel/decide-next.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import { interpretOutcome, type Moment, type StepCall } from '../kernel/interpret-outcome.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isEnded, type SagaState } from '../kernel/saga-state.ts'
import { prepareCompletion, prepareStep, type Preparation } from './prepare-step.ts'
import { createSagaFeed, type SagaFeed } from './saga-feed.ts'
import type { SagaNode } from './saga-node.ts'
import { callStep } from './step-call.ts'

// I1 Nothing is sent before its intent is durable, and nothing follows from an outcome before that is durable.
// I2 What became known and what follows from it go into one append.
// I3 Every append is at the position that this driver knows; a conflict means that the saga is another's, and ends driving.
// I4 A reply that matches nothing outstanding changes nothing.

/** What a driver starts from. */
export interface DriveOptions {
  readonly node: SagaNode
  readonly journal: SagaJournal
  readonly definition?: SagaDefinition
  /** What is in the journal. */
  readonly past: readonly JournaledEvent[]
  /** What this driver begins with, and writes first. */
  readonly unsaved: readonly SagaEvent[]
  /** Writes `unsaved` only; the rest waits for `go`. */
  readonly held: boolean
}

/** Drives one saga in this process. */
export interface SagaDriver {
  readonly feed: SagaFeed
  go(): void
  cancel(reason: string): Promise<Verdict>
  /** Stops driving; resolves when no append is under way any more. What is in flight is left to the next owner. */
  stop(error: Error): Promise<void>
  /** Resolves when the saga ended or driving stopped. */
  readonly done: Promise<void>
}

/** Something that came in: what it means is decided when its turn comes, on the state of then. */
interface Mail {
  open(state: SagaState): readonly SagaEvent[]
  /** The events are durable. */
  settled?(): void
}

/** How far a saga could go without waiting for anybody: what to write, and then what to do. */
interface Advance {
  readonly state: SagaState
  readonly events: readonly SagaEvent[]
  readonly calls: readonly StepCall[]
  readonly wakeAtMs?: number
}

/** The longest timer: a wake too early only looks again. */
const maxSleepMs = 60 * 60 * 1000

/** Begins to drive a saga; resolves once its first events are durable. Rejects as `SagaJournal.append` does. */
export async function driveSaga({ node, journal, definition, past, unsaved, held }: DriveOptions): Promise<SagaDriver> {
  const { clock, random } = node
  const busy = new Set<string>()
  let mailbox: Mail[] = []
  let pumping: Promise<void> | undefined
  let cancelTimer = (): void => undefined
  let isHeld = held
  const done = Promise.withResolvers<undefined>()

  const moment = (): Moment => ({ nowMs: clock.now(), random: random.float() })
  const prepare = (state: SagaState, plan?: PlanStep): Preparation => ({
    state,
    providers: plan ? node.providers(plan.capability, plan.among) : [],
    name: node.name,
    moment: moment(),
    ...(definition && { definition }),
  })

  /** Turns a decision into what is written before it is acted on. */
  const realise = (state: SagaState, decision: Decision): { readonly event?: SagaEvent; readonly call?: StepCall } => {
    if (decision.kind === 'end')
      return { event: decision.as === 'completed' ? prepareCompletion(prepare(state)) : { type: decision.as } }
    const step = state.steps[decision.step]
    if (!step) throw new TypeError(`decided about "${decision.step}", which the plan does not have`)
    switch (decision.kind) {
      case 'send': {
        const event = prepareStep(step, prepare(state, step.plan))
        return event.type === 'intended'
          ? { event, call: { step: event.step, phase: 'do', attempt: event.attempt } }
          : { event }
      }
      case 'lookup':
        return { call: { step: decision.step, phase: 'lookup', attempt: step.attempt } }
      case 'undo': {
        const attempt = step.undoAttempts + 1
        return {
          event: { type: 'undo-intended', step: decision.step, attempt, epoch: state.epoch },
          call: { step: decision.step, phase: 'undo', attempt },
        }
      }
      case 'turn':
        return { event: { type: 'turned', step: decision.step, code: decision.code } }
      case 'stall':
        return { event: { type: 'stalled', step: decision.step, code: decision.code } }
    }
  }

  /** Goes on from a state as far as possible without waiting for anybody. */
  const advance = (from: SagaState): Advance => {
    const events: SagaEvent[] = []
    const calls: StepCall[] = []
    for (let state = from; ;) {
      const next = decideNext(state, clock.now())
      const decision = next.now.find((one) => {
        if (awaitsCode(state, one)) return false
        return one.kind === 'end' || !(busy.has(one.step) || calls.some((call) => call.step === one.step))
      })
      if (!decision) {
        const { wakeAtMs } = next
        return { state, events, calls, ...(wakeAtMs !== undefined && { wakeAtMs }) }
      }
      const { event, call } = realise(state, decision)
      if (event) {
        events.push(event)
        state = foldSaga([event], state)
        // Every step can be decided about a few times at most before somebody has to answer.
        if (events.length > maxEventsAtOnce(state)) throw new TypeError(`deciding to ${decision.kind} changes nothing`)
      }
      if (call) calls.push(call)
    }
  }

  const publish = (entries: readonly JournaledEvent[]): void => {
    const { id, definition: of } = feed.state.started
    for (const { event, position } of entries)
      node.record('saga', {
        saga: id,
        definition: `${of.name}@${of.version}`,
        event: event.type,
        position,
        epoch: feed.state.epoch,
        status: feed.state.life.value,
        ...('step' in event && event.step !== undefined && { step: event.step }),
        ...('code' in event && event.code !== undefined && { code: event.code }),
        ...('attempt' in event && { attempt: event.attempt }),
      })
  }

  const perform = async (call: StepCall): Promise<void> => {
    try {
      const outcome = await callStep(node, feed.state, call, definition)
      post({
        open(state) {
          busy.delete(call.step)
          const events = interpretOutcome(state, call, outcome, moment())
          if (events.length === 0)
            node.logger.warn('saga.reply-ignored', { saga: state.started.id, step: call.step, attempt: call.attempt })
          return events
        },
      })
    } catch (error) {
      stop(toError(error))
    }
  }

  const post = (mail: Mail): void => {
    mailbox.push(mail)
    pumping ??= pump().finally(() => {
      pumping = undefined
      if (mailbox.length > 0 && !feed.stopped) post({ open: () => [] })
    })
  }

  const pump = async (): Promise<void> => {
    try {
      while (mailbox.length > 0 && !feed.stopped) {
        const mails = mailbox
        mailbox = []
        const events: SagaEvent[] = []
        let state = feed.state
        for (const mail of mails) {
          const opened = mail.open(state)
          events.push(...opened)
          state = foldSaga(opened, state)
        }
        const next: Advance = isHeld ? { state, events: [], calls: [] } : advance(state)
        const all = [...events, ...next.events]
        if (all.length > 0) {
          const entries = await journal.append(all)
          // Read again: `stop` may have come while the append was under way.
          if (isStopped()) return
          feed.push(entries, next.state)
          publish(entries)
        }
        act(next)
        for (const mail of mails) mail.settled?.()
      }
    } catch (error) {
      stop(toError(error))
    }
  }

  const act = (next: Advance): void => {
    for (const call of next.calls) {
      busy.add(call.step)
      void perform(call)
    }
    cancelTimer()
    if (isEnded(feed.state)) done.resolve(undefined)
    else if (next.wakeAtMs !== undefined) {
      const sleepMs = Math.min(maxSleepMs, Math.max(0, next.wakeAtMs - clock.now()))
      cancelTimer = clock.setTimer(() => post({ open: () => [] }), sleepMs)
    }
  }

  const isStopped = (): boolean => feed.stopped !== undefined
  const stop = (error: Error): void => {
    if (isEnded(feed.state)) return
    cancelTimer()
    feed.stop(error)
    done.resolve(undefined)
  }

  const begun = foldSaga([...past.map(({ event }) => event), ...unsaved])
  const first: Advance = held ? { state: begun, events: [], calls: [] } : advance(begun)
  const entries = await journal.append([...unsaved, ...first.events])
  const feed = createSagaFeed([...past, ...entries], first.state)
  try {
    publish(entries)
    act(first)
  } catch (error) {
    stop(toError(error))
  }

  return {
    feed,
    done: done.promise,
    go() {
      if (!isHeld) return
      isHeld = false
      post({ open: () => [] })
    },
    cancel(reason) {
      const { promise, resolve } = Promise.withResolvers<Verdict>()
      let verdict: Verdict = allowed
      post({
        open(state) {
          const problem = findCancelProblem(state)
          if (problem !== undefined) {
            verdict = refuse('saga.cancel-refused', `the saga "${state.started.id}" ${problem}`)
            return []
          }
          return state.turned ? [] : [{ type: 'turned', code: 'saga.cancelled', reason }]
        },
        settled: () => resolve(verdict),
      })
      // A driver that stops answers nobody's mail any more.
      void done.promise.then(() => {
        resolve(refuse('saga.cancel-refused', 'the saga ended, or this process stopped driving it, before the cancel'))
      })
      return promise
    },
    async stop(error) {
      stop(error)
      await pumping
    },
  }
}

function maxEventsAtOnce(state: SagaState): number {
  return 10 + 10 * Object.keys(state.steps).length
}

/** Only the definition's code can map an input or an output; lookups, retries and undos go on without it. */
function awaitsCode(state: SagaState, decision: Decision): boolean {
  if (!state.awaitsVersion) return false
  if (decision.kind === 'end') return decision.as === 'completed'
  return decision.kind === 'send' && state.steps[decision.step]?.key === undefined
}

function findCancelProblem(state: SagaState): string | undefined {
  if (isEnded(state)) return `has ended ${state.life.value}`
  const pivot = Object.values(state.steps).find((step) => step.plan.pivot)
  if (!pivot || ['planned', 'skipped'].includes(pivot.snapshot.value) || state.turned) return undefined
  return `has sent its pivot "${pivot.plan.name}": it only goes forward`
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('a saga could not be driven on', { cause: error })
}
