import type { Capability } from '@parley/protocol'
import type { CallOptions } from '../calling/call-options.ts'
import type { Contract, ContractCapability } from '../contract/contract.ts'
import type { BareOutcome, Outcome } from '../contract/outcome.ts'
import { createStopping } from '../node/stopping.ts'
import { listServed } from './list-served.ts'
import { createLocalHop, type LocalNode } from './local-hop.ts'
import type { Serves } from './serve.ts'
import { serveCall, type ServingTools } from './serve-call.ts'
import type { Served } from './served.ts'

// I1 What is called is this process's own code: nothing is sealed, sent, judged or recorded as a hop.
// I2 A call ends in one of the five outcomes, held against the contract as on the wire.

/** Calls what an agent serves for itself, in its own process. */
export interface LocalCaller {
  /** Tells whether a capability is served here. */
  serves(capability: Capability): boolean
  /** Calls it. Throws a `TypeError` for one that is not served here. */
  tryCall(capability: Pick<ContractCapability, 'capability'>, input: unknown, options: CallOptions): Promise<Outcome>
}

/** Milliseconds until the outcome is unknown, where the call does not say. */
const defaultDeadlineMs = 5_000

/** Nothing here is paid for out of a caller's allowance. */
const freeMeter: ServingTools['meter'] = { idle: () => undefined, isFirstRefusal: () => false }

/** Creates the local caller of a contract. Throws `mesh.config-invalid` where something that serves it is missing. */
export function createLocalCaller<C extends Contract>(node: LocalNode, contract: C, serves: Serves<C>): LocalCaller {
  const served = new Map<Capability, Served>(
    listServed(contract, serves as Serves<Contract>).map((one) => [one.contract.capability, one]),
  )
  const tools: ServingTools = { meter: freeMeter, logger: node.logger }
  return {
    serves: (capability) => served.has(capability),
    async tryCall({ capability }, input, { deadlineMs = defaultDeadlineMs, signal, trace = '', saga }) {
      const one = served.get(capability)
      if (!one) throw new TypeError(`${capability} is not served here`)
      const startMs = node.clock.monotonic()
      const stopping = createStopping()
      const id = Buffer.from(node.random.bytes(16)).toString('base64url')
      const report = (outcome: BareOutcome): Outcome => ({
        ...outcome,
        hop: {
          id,
          trace,
          capability,
          peer: { owner: node.owner, name: node.name, instance: node.instance },
          sent: true,
          durationMs: node.clock.monotonic() - startMs,
          explain: () => `${outcome.kind}; in this process`,
        },
      })
      const late = Promise.withResolvers<BareOutcome>()
      const cancelTimer = node.clock.setTimer(() => {
        stopping.abort()
        late.resolve({ kind: 'unknown', code: 'deadline.exceeded' })
      }, deadlineMs)
      const takeBack = (): void => stopping.abort()
      signal?.addEventListener('abort', takeBack)
      try {
        const remainingMs = (): number => deadlineMs - (node.clock.monotonic() - startMs)
        const hop = createLocalHop(node, { id, trace, capability, saga, stopping, remainingMs })
        return report(await Promise.race([serveCall(one, input, hop, tools), late.promise]))
      } finally {
        cancelTimer()
        signal?.removeEventListener('abort', takeBack)
      }
    },
  }
}
