import { MeshError, type Capability } from '@parley/protocol'
import type { CallOptions } from '../calling/call-options.ts'
import type { SagaCommand } from '../calling/saga-command.ts'
import type { MeshNode } from '../node/node.ts'
import type { Stopping } from '../node/stopping.ts'
import { lazySignal, stops } from './lazy-signal.ts'
import { markResult, type ServedHop } from './served.ts'

/** What calls inside one process need of their node. */
export type LocalNode = Pick<
  MeshNode,
  'name' | 'owner' | 'instance' | 'clock' | 'random' | 'logger' | 'call' | 'tryCall' | 'stream' | 'emit'
>

/** One call inside a process. */
export interface LocalRequest {
  readonly id: string
  readonly trace: string
  readonly capability: Capability
  readonly saga: SagaCommand | undefined
  readonly stopping: Stopping
  readonly remainingMs: () => number
}

/** The score of an agent in its own eyes. */
const ownScore = 1_000

/** Creates the hop that a handler sees which its own agent calls. What it calls acts in the agent's own right. */
export function createLocalHop(node: LocalNode, request: LocalRequest): ServedHop {
  const { id, trace, capability, saga, stopping, remainingMs } = request
  const onward = (options: CallOptions = {}): CallOptions => ({
    ...options,
    trace,
    authority: 'own',
    deadlineMs: Math.min(options.deadlineMs ?? Infinity, Math.max(0, remainingMs())),
    signal: options.signal ? AbortSignal.any([options.signal, stopping.signal()]) : stopping.signal(),
  })
  const missing = (what: string): MeshError =>
    new MeshError('contract.invalid', `${capability} is called in its own process, where there is no ${what}`)
  const hop: Omit<ServedHop, 'signal'> & { readonly [stops]: Stopping; readonly __proto__: object } = {
    __proto__: lazySignal,
    [stops]: stopping,
    id,
    trace,
    capability,
    caller: {
      owner: node.owner,
      name: node.name,
      instance: node.instance,
      kind: 'agent',
      score: ownScore,
      tier: 'verified',
    },
    labels: [],
    obligations: [],
    pathIndex: 0,
    ...(saga ? { saga } : {}),
    evidence() {
      throw missing('envelope to make evidence of')
    },
    remainingMs,
    decline: (name, details) => markResult({ kind: 'declined', error: { name, details } }),
    fail: (options = {}) => markResult({ kind: 'nothing-done', retryable: options.retryable ?? false }),
    refuse: (code, options = {}) => markResult({ kind: 'refusal', code, ...options }),
    accept() {
      throw missing('lease')
    },
    progress: () => Promise.reject(missing('lease')),
    // There is no caller whose allowance it would come off.
    use: () => Promise.resolve(),
    call: (called, input, options) => node.call(called, input, onward(options)),
    tryCall: (called, input, options) => node.tryCall(called, input, onward(options)),
    emit: (event, payload, options) => node.emit(event, payload, { ...options, trace }),
    stream: (called, input, options) => node.stream(called, input, { ...options, ...onward(options) }),
  }
  return hop as typeof hop & Pick<ServedHop, 'signal'>
}
