import type { ContractCapability } from '@parley/mesh'
import type { AgentName } from '@parley/protocol'
import type { Mapper, Part, Providers, StepContext } from './part.ts'
import type { RetryPlan } from './plan.ts'

/** Milliseconds until the outcome of an attempt is `unknown`, where the step does not say: the same as of a call. */
export const defaultDeadlineMs = 5_000

/** Three attempts get over a lost reply and one retry; delays grow from 200 ms to at most 30 s. */
export const defaultRetry: RetryPlan = { attempts: 3, minDelayMs: 200, maxDelayMs: 30_000 }

/** How a step is tried again, where it differs from `defaultRetry`. */
export interface StepRetry<Declared> extends Partial<Omit<RetryPlan, 'declined'>> {
  /**
   * Names of declared errors that may pass by themselves, for instance a room that is full now. A participant answers a
   * command for ever as it did once, so that each such try is a command with a key of its own.
   */
  readonly declined?: readonly (keyof Declared & string)[]
}

/** What a step is made of. `Saga` is the saga's input, `Before` the results that are there when it runs. */
export interface StepOptions<Input, Output, Declared, Result, Saga, Before> {
  /** The capability to call; its contract says whether it can be undone. */
  readonly do: ContractCapability<Input, Output, Declared, Result>
  /** Makes the input. Runs once; what it returns is journalled and never computed again. */
  readonly input: (context: StepContext<Saga, Before>) => NoInfer<Input>
  /**
   * Agents to ask, in order; the next one is asked only if nothing was sent to the one before. Without it, the agents
   * of the node's own owner that serve the capability at that moment.
   */
  readonly to?: readonly AgentName[] | ((saga: Saga) => readonly AgentName[])
  /**
   * Aliases of owners, as the node's anchors call them: whoever of theirs serves the capability at that moment is asked, owner
   * by owner in this order, the next only if nothing was sent to the one before. Not beside `to`.
   */
  readonly among?: readonly string[]
  readonly deadlineMs?: number
  readonly retry?: StepRetry<NoInfer<Declared>>
  /**
   * The participant locks a target for the saga, and is told when the saga is over, so that it frees it. What another saga
   * locked is refused (`saga.locked`) and tried again as `retry` says.
   */
  readonly lock?: boolean
  /** A delegation chain to act under, root first; without it, the chain that the saga was started with. */
  readonly delegation?: readonly string[]
  /** The step may be repeated until it works. Required of every step after the pivot that does more than read. */
  readonly retriable?: boolean
}

/** Describes one call of a saga; its result is `results.<name>` for what follows. */
export function step<const Name extends string, Input, Output, Declared, Result, Saga, Before>(
  name: Name,
  options: StepOptions<Input, Output, Declared, Result, Saga, Before>,
): Part<Saga, Before, { readonly [N in Name]: Output }> {
  return describeStep(name, options, false)
}

/** Describes the step after which the saga only goes forward: it needs no undo, and nothing is undone once it committed. */
export function pivot<const Name extends string, Input, Output, Declared, Result, Saga, Before>(
  name: Name,
  options: StepOptions<Input, Output, Declared, Result, Saga, Before>,
): Part<Saga, Before, { readonly [N in Name]: Output }> {
  return describeStep(name, options, true)
}

function describeStep<Name extends string, Input, Output, Declared, Result, Saga, Before>(
  name: Name,
  options: StepOptions<Input, Output, Declared, Result, Saga, Before>,
  isPivot: boolean,
): Part<Saga, Before, { readonly [N in Name]: Output }> {
  return {
    kind: 'step',
    name,
    capability: options.do,
    // The compiler checked both against the saga's types; the runner hands them exactly those values.
    map: options.input as Mapper,
    pivot: isPivot,
    retriable: options.retriable ?? false,
    locks: options.lock ?? false,
    deadlineMs: options.deadlineMs ?? defaultDeadlineMs,
    retry: { ...defaultRetry, ...options.retry },
    ...(options.to && { to: options.to as Providers }),
    ...(options.among && { among: options.among }),
    ...(options.delegation && { delegation: options.delegation }),
  }
}
