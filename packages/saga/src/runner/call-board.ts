import type { Outcome } from '@parley/mesh'
import type { StepCall } from '../kernel/interpret-outcome.ts'

/** What became of a step that was under way when it was taken back. */
export type StoppedStep = 'stopped' | 'done' | 'not-done' | 'unknown'

/** The calls of one saga that are under way. */
export interface CallBoard {
  /** The steps that they are for: there is one at a time for each. */
  readonly busy: Pick<ReadonlySet<string>, 'has' | 'size'>
  /** Notes a call; `ended` is told its outcome, once or more. */
  begin(call: StepCall): { readonly signal: AbortSignal; readonly ended: (outcome: Outcome) => void }
  /** Takes back every forward command that is under way; resolves with what their participants say. */
  stop(): Promise<Readonly<Record<string, StoppedStep>>>
  /** Resolves when all that is under way now was answered. */
  answered(): Promise<unknown>
}

interface Ongoing {
  readonly call: StepCall
  readonly abort: AbortController
  readonly outcome: PromiseWithResolvers<Outcome>
}

/** Creates an empty board. */
export function createCallBoard(): CallBoard {
  const ongoing = new Map<string, Ongoing>()
  return {
    busy: ongoing,
    begin(call) {
      const own: Ongoing = { call, abort: new AbortController(), outcome: Promise.withResolvers<Outcome>() }
      ongoing.set(call.step, own)
      return {
        signal: own.abort.signal,
        ended(outcome) {
          if (ongoing.get(call.step) === own) ongoing.delete(call.step)
          own.outcome.resolve(outcome)
        },
      }
    },
    async stop() {
      const commands = [...ongoing.values()].filter(({ call }) => call.phase === 'do')
      for (const { abort } of commands) abort.abort()
      const ends = commands.map(async ({ call, outcome }): Promise<[string, StoppedStep]> => [
        call.step,
        describeEnd(await outcome.promise),
      ])
      return Object.fromEntries(await Promise.all(ends))
    },
    answered: () => Promise.all([...ongoing.values()].map(({ outcome }) => outcome.promise)),
  }
}

function describeEnd(outcome: Outcome): StoppedStep {
  if (outcome.kind === 'ok') return 'done'
  if (outcome.kind !== 'unknown') return 'not-done'
  return outcome.stopped === true ? 'stopped' : 'unknown'
}
