import { MeshError, refuse, type Verdict } from '@parley/protocol'
import type { JournaledEvent } from '../journal/journal-format.ts'
import { isEnded, type SagaState } from '../kernel/saga-state.ts'
import { describeSaga, type SagaView } from './describe-saga.ts'
import type { SagaFeed } from './saga-feed.ts'

/** One saga, seen from the program that started it or attached to it. */
export interface SagaRun<Output = unknown> {
  readonly id: string
  /** Where the saga is now, as far as it is durable. */
  state(): SagaView
  /** Yields every event from `fromPosition` on (default 1), past ones first, until the saga ends. */
  events(fromPosition?: number): AsyncIterable<JournaledEvent>
  /** Resolves once the saga has ended, however. Rejects with `saga.closed` or `saga.not-owned` if it goes on elsewhere. */
  settled(): Promise<SagaView>
  /**
   * Resolves with the output of a completed saga. Rejects with `saga.compensated`, `saga.stuck`, `saga.mapping-failed` when
   * the output could not be made, and as `settled` does.
   */
  result(): Promise<Output>
  /**
   * Asks for the way back. Undos are not cancelled by it, and what is in flight is waited for. Refused with
   * `saga.cancel-refused` once the pivot was sent or the saga ended, with `saga.not-owned` where this process does not drive
   * it.
   */
  cancel(reason: string): Promise<Verdict>
}

/** Creates a run over a feed. `cancel` is given where this process drives the saga. */
export function createSagaRun(feed: SagaFeed, cancel?: (reason: string) => Promise<Verdict>): SagaRun {
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
    async *events(fromPosition = 1) {
      for (let at = Math.max(0, fromPosition - 1); ;) {
        const next = feed.events[at]
        if (next) {
          yield next
          at++
        } else if (isEnded(feed.state)) return
        else if (feed.stopped) throw feed.stopped
        else await feed.changed()
      }
    },
    settled: async () => describeSaga(await settled()),
    async result() {
      const state = await settled()
      if (state.life.value === 'completed' && state.problem === undefined) return state.output
      throw explainEnd(state)
    },
    cancel: (reason) =>
      cancel
        ? cancel(reason)
        : Promise.resolve(
            refuse('saga.not-owned', `the saga "${id}" is not driven by this process: cancel it where it is`),
          ),
  }
}

function explainEnd(state: SagaState): MeshError {
  const { id } = state.started
  if (state.life.value === 'completed')
    return new MeshError('saga.mapping-failed', `the saga "${id}" completed, but ${state.problem ?? 'has no output'}`)
  if (state.life.value === 'compensated') {
    const { code = '', step } = state.turned ?? {}
    const why = step === undefined ? code : `${code} at the step "${step}"`
    return new MeshError('saga.compensated', `the saga "${id}" was undone: ${why}`, {
      details: {
        code,
        ...(step !== undefined && { step }),
        ...(state.turned?.reason && { reason: state.turned.reason }),
      },
    })
  }
  const stuck = Object.values(state.steps).filter((step) => step.snapshot.value === 'stuck')
  const names = stuck.map((step) => `"${step.plan.name}" (${step.code ?? ''})`).join(', ')
  return new MeshError(
    'saga.stuck',
    `the saga "${id}" is stuck at ${names}: somebody has to look at the participants`,
    {
      details: { steps: stuck.map((step) => ({ step: step.plan.name, code: step.code ?? '' })) },
    },
  )
}
