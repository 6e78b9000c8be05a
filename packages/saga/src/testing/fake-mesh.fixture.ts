import type { ContractCapability, Hop, LookupAnswer, Outcome, SagaCommand, UndoableServe } from '@parley/mesh'
import { createSeededRandom, silentLogger, type Clock, type Store } from '@parley/ports'
import type { AgentName, Did, ErrorCode } from '@parley/protocol'
import type { SagaNode } from '../runner/saga-node.ts'

/** A call on its way, as faults see it. */
export interface CallOnTheWay {
  readonly to: AgentName
  readonly capability: string
  readonly input: unknown
  readonly saga: SagaCommand
  readonly delegation?: readonly string[]
}

/** What happens to a call besides what its participant says. */
export type Fault =
  | { readonly kind: 'unsent'; readonly code: ErrorCode }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly retryAfterMs?: number }
  /** The request is lost. */
  | { readonly kind: 'lost-request' }
  /** It was done, the reply is lost. */
  | { readonly kind: 'lost-reply' }

/** A bus without crypto: it calls what was served and reports outcomes as a node does. */
export interface FakeMesh {
  serve<Input, Output, Declared, Result>(
    agent: AgentName,
    capability: ContractCapability<Input, Output, Declared, Result>,
    serve: UndoableServe<Input, Result, Declared>,
  ): void
  /** Makes a node of `name` over a store. `around` runs each call, so that a test may stop the process at any point. */
  createNode(options: {
    readonly name: AgentName
    readonly owner?: Did
    readonly store: Store
    readonly clock: Clock
    readonly instance?: string
    readonly around?: (call: CallOnTheWay, deliver: () => Promise<Outcome>) => Promise<Outcome>
  }): SagaNode & { readonly records: Readonly<Record<string, unknown>>[] }
  /** Delivers a command to its participant, whether anybody still waits for the answer or not. */
  deliver(caller: AgentName, call: CallOnTheWay): Promise<Outcome>
  /** Decides the fault of each call; undefined for none. */
  fault: (call: CallOnTheWay) => Fault | undefined
  /** Every call that was delivered or not, as `phase step provider`. */
  readonly calls: string[]
}

type Served = UndoableServe<unknown, unknown, Readonly<Record<string, unknown>>>

const patient = new AbortController().signal

/** Creates an empty bus. */
export function createFakeMesh(): FakeMesh {
  const served = new Map<string, Served>()
  const mesh: FakeMesh = {
    calls: [],
    fault: () => undefined,
    deliver: (caller, call) => deliver(caller, call, ''),
    serve(agent, capability, serve) {
      served.set(`${agent} ${capability.capability}`, serve as Served)
    },
    createNode({
      name,
      owner = 'did:key:zOwner',
      store,
      clock,
      instance = 'did:key:zOne',
      around = (_call, deliver) => deliver(),
    }) {
      const records: Readonly<Record<string, unknown>>[] = []
      const tryCall = async (
        contract: ContractCapability,
        input: unknown,
        options: {
          readonly to?: AgentName
          readonly saga?: SagaCommand
          readonly trace?: string
          readonly delegation?: readonly string[]
        } = {},
      ): Promise<Outcome> => {
        const { to, saga, delegation } = options
        if (!to || !saga) throw new TypeError('a saga names its provider and its command')
        const call: CallOnTheWay = {
          to,
          capability: contract.capability,
          input: copy(input),
          saga,
          ...(delegation && { delegation }),
        }
        mesh.calls.push(`${saga.phase} ${saga.step} ${to}`)
        return around(call, () => deliver(name, call, options.trace ?? ''))
      }
      return {
        name,
        owner,
        store,
        clock,
        instance: instance as `did:key:z${string}`,
        random: createSeededRandom(7),
        logger: silentLogger,
        records,
        tryCall: tryCall as SagaNode['tryCall'],
        providers: (capability, among = [name.split('/')[0] ?? '']) =>
          among.flatMap((alias) =>
            [...served.keys()].flatMap((key) => {
              const [agent, serves] = key.split(' ') as [AgentName, string]
              return serves === capability && agent.startsWith(`${alias}/`) ? [agent] : []
            }),
          ),
        onOutcome: () => {
          throw new TypeError('nodes of these tests have no mailbox')
        },
        record: (kind, fields) => records.push({ kind, ...fields }),
      }
    },
  }
  const deliver = async (caller: AgentName, call: CallOnTheWay, trace: string): Promise<Outcome> => {
    const report = (sent: boolean): Outcome['hop'] => ({
      id: 'hop',
      trace,
      capability: call.capability as `${string}:${string}`,
      sent,
      durationMs: 0,
      explain: () => '',
    })
    const fault = mesh.fault(call)
    if (fault?.kind === 'unsent') return { kind: 'refused', code: fault.code, reason: '', hop: report(false) }
    if (fault?.kind === 'refused') {
      const wait = fault.retryAfterMs
      return {
        kind: 'refused',
        code: fault.code,
        reason: '',
        hop: report(true),
        ...(wait !== undefined && { retryAfterMs: wait }),
      }
    }
    if (fault?.kind === 'lost-request') return { kind: 'unknown', code: 'deadline.exceeded', hop: report(true) }
    const serve = served.get(`${call.to} ${call.capability}`)
    if (!serve) return { kind: 'refused', code: 'mesh.no-provider', reason: '', hop: report(false) }
    const outcome = await answer(serve, caller, call, report(true))
    return fault ? { kind: 'unknown', code: 'deadline.exceeded', hop: report(true) } : outcome
  }
  return mesh
}

async function answer(serve: Served, caller: AgentName, call: CallOnTheWay, hop: Outcome['hop']): Promise<Outcome> {
  const marks = new Map<unknown, Outcome>()
  const mark = <T>(value: T, outcome: Outcome): T => {
    marks.set(value, outcome)
    return value
  }
  const served: Hop = {
    id: hop.id,
    trace: hop.trace,
    capability: hop.capability,
    caller: {
      owner: 'did:key:zOwner',
      name: caller,
      instance: 'did:key:zOne',
      kind: 'agent',
      score: 500,
      tier: 'standard',
    },
    labels: [],
    obligations: [],
    pathIndex: 0,
    saga: call.saga,
    signal: patient,
    evidence: () => new Uint8Array(),
    remainingMs: () => 1_000,
    accept: () => undefined,
    progress: () => Promise.resolve(),
    stream: () => {
      throw new TypeError('handlers of these tests do not stream')
    },
    emit: () => {
      throw new TypeError('handlers of these tests tell no events')
    },
    use: () => Promise.resolve(),
    decline: (name, details) =>
      mark({ kind: 'declined', error: { name, details } }, { kind: 'declined', error: { name, details }, hop }),
    fail: (options = {}) => {
      const retryable = options.retryable ?? false
      return mark(
        { kind: 'nothing-done', retryable },
        { kind: 'failed', code: 'contract.handler-failed', retryable, hop },
      )
    },
    refuse: (code, options = {}) =>
      mark({ kind: 'refusal', code, ...options }, { kind: 'refused', code, reason: '', hop, ...options }),
    call: () => Promise.reject(new TypeError('a participant of these tests calls nobody')),
    tryCall: () => Promise.reject(new TypeError('a participant of these tests calls nobody')),
  }
  try {
    const result: unknown = await run(serve, call, served)
    return marks.get(result) ?? { kind: 'ok', output: copy(result ?? null), hop }
  } catch {
    return { kind: 'unknown', code: 'contract.handler-failed', hop }
  }
}

async function run(serve: Served, call: CallOnTheWay, hop: Hop): Promise<unknown> {
  switch (call.saga.phase) {
    case 'do':
      return serve.do(call.input, hop)
    case 'undo':
      return serve.undo ? serve.undo(call.input as { output?: unknown }, hop) : hop.refuse('saga.command-invalid')
    case 'lookup':
      return serve.lookup
        ? ((await serve.lookup(hop)) satisfies LookupAnswer | object)
        : hop.refuse('saga.command-invalid')
    case 'close':
      return serve.close ? serve.close(hop) : hop.refuse('saga.command-invalid')
  }
}

function copy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown
}
