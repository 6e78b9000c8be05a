import type { HandlerRefusal, Hop, NothingDone } from '@parley/mesh'
import type { InboxOutcome } from '@parley/ports'

/** A hop that remembers what was said through it, so that no output can pass for a refusal, nor the other way round. */
export interface MarkedHop<Declared> {
  readonly hop: Hop<Declared>
  /** Tells whether a handler said that nothing was done, or refused: its transaction must not commit. */
  saysNothingDone(result: unknown): result is NothingDone | HandlerRefusal
  /** What the inbox remembers of a result; undefined when nothing was done. */
  toOutcome(result: unknown): InboxOutcome | undefined
}

/** Watches the three things that a handler may say besides its output. */
export function watchMarks<Declared>(hop: Hop<Declared>): MarkedHop<Declared> {
  const declined = new Map<unknown, string>()
  const nothingDone = new Set<unknown>()
  const note = <Mark>(mark: Mark): Mark => {
    nothingDone.add(mark)
    return mark
  }
  return {
    hop: {
      ...hop,
      decline(name, details) {
        const mark = hop.decline(name, details)
        declined.set(mark, JSON.stringify({ name, details }))
        return mark
      },
      fail: (failure) => note(hop.fail(failure)),
      refuse: (code, refusal) => note(hop.refuse(code, refusal)),
    },
    saysNothingDone: (result): result is NothingDone | HandlerRefusal => nothingDone.has(result),
    toOutcome(result) {
      const error = declined.get(result)
      if (error !== undefined) return { kind: 'declined', error }
      return nothingDone.has(result) ? undefined : { kind: 'ok', output: JSON.stringify(result ?? null) }
    },
  }
}
