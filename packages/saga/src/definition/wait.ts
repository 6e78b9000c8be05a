import type { Schema, SchemaOutput } from '@parley/mesh'
import { MeshError } from '@parley/protocol'
import type { Mapper, Part, StepContext } from './part.ts'

/** What a wait waits for, with the type of what comes. */
export interface WaitFor<Value, Saga, Before> {
  readonly for: 'signal' | 'time'
  readonly schema?: Schema
  readonly until?: (context: StepContext<Saga, Before>) => number
  readonly withinMs?: number
  readonly onLapse?: 'undo' | 'continue'
  readonly ifLate?: 'continue' | 'wait-again' | 'undo'
  /** Carries the type; never present at run time. */
  readonly types?: Value
}

/** How long a signal is waited for. */
export interface SignalOptions {
  /** Milliseconds; without it until the saga expires. */
  readonly withinMs?: number
  /** What follows when none came: the way back (the default), or on without it, where its result is undefined. */
  readonly onLapse?: 'undo' | 'continue'
}

/** What follows where nobody looked for more than a minute after the time was over, as after an outage. */
export interface LateOptions {
  /** Goes on (the default), waits as long again, or takes the way back. */
  readonly ifLate?: 'continue' | 'wait-again' | 'undo'
}

/** Waits for `run.signal(name, value)`. A signal that comes early is kept; of several the first counts. */
export function signal<S extends Schema>(
  schema: S,
  options: SignalOptions = {},
): WaitFor<SchemaOutput<S>, unknown, unknown> {
  return { for: 'signal', schema, ...options }
}

/** Waits for some milliseconds, from when the saga comes to it. */
export function pause(forMs: number, options: LateOptions = {}): WaitFor<undefined, unknown, unknown> {
  return { for: 'time', withinMs: forMs, ...options }
}

/** Waits until a time, in milliseconds since the Unix epoch, that is computed once. */
export function until<Saga, Before>(
  at: (context: StepContext<Saga, Before>) => number,
  options: LateOptions = {},
): WaitFor<undefined, Saga, Before> {
  return { for: 'time', until: at, ...options }
}

/** Describes a place where the saga waits; what was signalled is `results.<name>` for what follows. */
export function wait<const Name extends string, Value, Saga, Before>(
  name: Name,
  what: WaitFor<Value, Saga, Before>,
): Part<Saga, Before, { readonly [N in Name]: Value }> {
  if (what.withinMs !== undefined && !(Number.isSafeInteger(what.withinMs) && what.withinMs >= 1))
    throw new MeshError(
      'saga.definition-invalid',
      `the wait "${name}" is not for a whole number of milliseconds from 1`,
    )
  return {
    kind: 'wait',
    name,
    for: what.for,
    ...(what.schema && { schema: what.schema }),
    // The compiler checked it against the saga's types; the runner hands it exactly those values.
    ...(what.until && { until: what.until as Mapper }),
    ...(what.withinMs !== undefined && { withinMs: what.withinMs }),
    onLapse: what.onLapse ?? 'undo',
    ifLate: what.ifLate ?? 'continue',
  }
}
