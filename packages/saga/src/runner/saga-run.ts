import { checkSchema } from '@parley/mesh'
import { formatTime, MeshError, refuse, type Refusal, type Verdict } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import { copyJson, findJsonProblem } from '../json-value.ts'
import { describeErased } from '../journal/data-keys.ts'
import type { JournaledEvent } from '../journal/journal-format.ts'
import { proposeAuthority, proposeCancel, proposeSignal, type Proposal } from '../kernel/propose.ts'
import type { SealedEvent } from '../kernel/saga-event.ts'
import { isEnded, type SagaState } from '../kernel/saga-state.ts'
import type { StoppedStep } from './call-board.ts'
import { describeSaga, type SagaView } from './describe-saga.ts'
import type { SagaFeed } from './saga-feed.ts'

/** What a cancel did: by step, what became of the commands that were under way. */
export type CancelVerdict =
  | { readonly kind: 'allow'; readonly stopped: Readonly<Record<string, StoppedStep>> }
  | Refusal

/** One saga, seen from the program that started it or attached to it. */
export interface SagaRun<Output = unknown> {
  readonly id: string
  /** Where the saga is now, as far as it is durable. */
  state(): SagaView
  /** Yields every event from `fromPosition` on (default 1), past ones first, until the saga ends or `signal` says to. */
  events(fromPosition?: number, signal?: AbortSignal): AsyncIterable<JournaledEvent>
  /** Resolves once the saga has ended, however. Rejects with `saga.closed` or `saga.not-owned` if it goes on elsewhere. */
  settled(): Promise<SagaView>
  /**
   * Resolves with the output of a completed saga. Rejects with `saga.compensated`, `saga.stuck`, `saga.aborted`,
   * `saga.sealed` when it completed so long ago that its output is not kept any more,
   * `saga.mapping-failed` when the output could not be made, and as `settled` does.
   */
  result(): Promise<Output>
  /**
   * Tells a wait what it waits for; resolves once that is durable. The first signal of a name counts, also one that comes
   * before the saga does. Refused with `saga.signal-refused`, `contract.input-invalid`, `saga.version-unknown` (this process
   * has no schema to check it by).
   */
  signal(name: string, value: unknown, by?: string): Promise<Verdict>
  /** Gives the saga another delegation chain to act under, for steps that have none of their own. */
  authorise(delegation: readonly string[]): Promise<Verdict>
  /**
   * Asks for the way back, takes back what is under way, and answers what became of it. Undos are not cancelled by it.
   * Refused with `saga.cancel-refused` once the pivot was sent or the saga ended. Where another process drives the saga,
   * that one takes back; `stopped` is empty then.
   */
  cancel(reason: string): Promise<CancelVerdict>
}

/** How a run reaches its saga, wherever that is driven. */
export interface RunLine {
  note(propose: Proposal): Promise<Verdict>
  /** Takes back the commands that this process has under way. */
  stopCalls(): Promise<Readonly<Record<string, StoppedStep>>>
  readonly definition: SagaDefinition | undefined
}

/** Creates a run over a feed. */
export function createSagaRun(feed: SagaFeed, line: RunLine): SagaRun {
  const { id } = feed.state.started
  const settled = async (): Promise<SagaState> => {
    while (!isEnded(feed.state)) {
      if (feed.stopped) throw feed.stopped
      await feed.changed()
    }
    return feed.state
  }
  return {
    id,
    state: () => describeSaga(feed.state),
    async *events(fromPosition = 1, signal) {
      const aborted = Promise.withResolvers<undefined>()
      const onAbort = (): void => aborted.resolve(undefined)
      signal?.addEventListener('abort', onAbort)
      try {
        for (let at = Math.max(0, fromPosition - 1); signal?.aborted !== true;) {
          const next = feed.events[at]
          if (next) {
            yield next
            at++
          } else if (isEnded(feed.state)) return
          else if (feed.stopped) throw feed.stopped
          else await Promise.race([feed.changed(), aborted.promise])
        }
      } finally {
        signal?.removeEventListener('abort', onAbort)
      }
    },
    settled: async () => describeSaga(await settled()),
    async result() {
      const state = await settled()
      if (state.sealed && state.life.value === 'completed') throw explainSeal(state.sealed)
      const end = feed.events.findLast(({ event }) => event.type === 'completed')
      if (end?.erased) throw describeErased(`the saga "${id}"`)
      if (state.life.value === 'completed' && state.problem === undefined) return state.output
      throw explainEnd(state)
    },
    async signal(name, value, by) {
      const { definition } = line
      if (!definition)
        return refuse('saga.version-unknown', `this process has no schema for a signal to the saga "${id}"`)
      const schema = definition.waits.get(name)?.schema
      if (!schema) return refuse('saga.signal-refused', `the saga "${id}" takes no signal "${name}"`)
      const checked = await checkSchema(schema, value)
      if (checked.kind === 'invalid')
        return refuse('contract.input-invalid', `the signal "${name}": ${checked.problems}`)
      const problem = findJsonProblem(checked.value ?? null, 'signal')
      if (problem !== undefined) return refuse('contract.input-invalid', `the signal "${name}": ${problem}`)
      return line.note(proposeSignal(name, copyJson(checked.value) ?? null, by))
    },
    authorise: (delegation) => line.note(proposeAuthority(delegation)),
    async cancel(reason) {
      const verdict = await line.note(proposeCancel(reason))
      return verdict.kind === 'deny' ? verdict : { kind: 'allow', stopped: await line.stopCalls() }
    },
  }
}

function explainSeal({ id, endedAtMs }: SealedEvent): MeshError {
  return new MeshError(
    'saga.sealed',
    `the saga "${id}" completed on ${formatTime(endedAtMs)}, and its journal with the output was compacted since`,
    { details: { endedAtMs } },
  )
}

function explainEnd(state: SagaState): MeshError {
  const { id } = state.started
  switch (state.life.value) {
    case 'completed':
      return new MeshError('saga.mapping-failed', `the saga "${id}" completed, but ${state.problem ?? 'has no output'}`)
    case 'compensated': {
      const { code = '', step, reason } = state.turned ?? {}
      const why = step === undefined ? code : `${code} at the step "${step}"`
      return new MeshError('saga.compensated', `the saga "${id}" was undone: ${why}`, {
        details: { code, ...(step !== undefined && { step }), ...(reason && { reason }) },
      })
    }
    case 'aborted':
      return new MeshError('saga.aborted', `the saga "${id}" was given up by a human: its effects may stand`)
    default: {
      const stuck = Object.values(state.steps).filter((step) => step.snapshot.value === 'stuck')
      const names = stuck.map((step) => `"${step.plan.name}" (${step.code ?? ''})`).join(', ')
      const steps = stuck.map((step) => ({ step: step.plan.name, code: step.code ?? '' }))
      return new MeshError(
        'saga.stuck',
        `the saga "${id}" is stuck at ${names}: somebody has to look at the participants`,
        { details: { steps } },
      )
    }
  }
}
