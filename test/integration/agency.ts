import {
  defineContract,
  type AppendedRecord,
  type CallOptions,
  type Hop,
  type MeshNode,
  type Outcome,
  type Serves,
} from '@parley/mesh'
import { createTestMesh, type TestMesh, type TestNodeOptions } from '@parley/testkit'
import { z } from 'zod'

/** Sells seats; what it is asked is the whole test. */
export const flights = defineContract('flights', {
  reserve: {
    input: z.object({ to: z.string(), amount: z.number() }),
    output: z.object({ seat: z.string() }),
    risk: 'reversible',
  },
  cancel: { input: z.object({}), output: z.object({}), risk: 'reversible' },
})

/** Plans trips, and calls `flights` for whoever asked. */
export const trips = defineContract('trips', {
  plan: { input: z.object({}), output: z.object({ ended: z.string() }), risk: 'reversible' },
})

/** A mesh with `acme/desk`, which asks `acme/agency`, which calls `acme/flights`. */
export interface AgencyMesh extends AsyncDisposable {
  readonly mesh: TestMesh
  readonly desk: MeshNode
  readonly agency: MeshNode
  readonly planes: MeshNode
  /** Hops that reached the handler of `flights:reserve`. */
  readonly reserved: Hop[]
  /** Asks the agency to plan; says how its own call ended: `ok`, or a code. */
  plan(options?: CallOptions): Promise<string>
  /** Calls `flights:reserve` from the desk under a chain. */
  reserve(options?: CallOptions): Promise<Outcome>
  hopsOf(node: MeshNode): Promise<readonly AppendedRecord[]>
}

/** Says how an outcome ended: its kind if it is `ok`, else its code. */
export function endOf(outcome: Outcome): string {
  return 'code' in outcome ? outcome.code : outcome.kind
}

/** Opens the agency; `call` is what its handler does with the hop that it serves. */
export async function openAgency(
  call: (hop: Hop, agency: MeshNode) => Promise<Outcome> = (hop) =>
    hop.tryCall(flights.reserve, { to: 'SFO', amount: 100 }),
  more: {
    readonly serves?: Partial<Serves<typeof flights>>
    readonly planes?: TestNodeOptions
    readonly desk?: TestNodeOptions
  } = {},
): Promise<AgencyMesh> {
  const mesh = createTestMesh({ seed: 3 })
  const reserved: Hop[] = []
  const planes = await mesh.node('acme/flights', {
    serves: [flights],
    serve(node) {
      node.serve(flights, {
        reserve(_, hop) {
          reserved.push(hop as Hop)
          return { seat: '12A' }
        },
        cancel: () => ({}),
        ...more.serves,
      })
    },
    ...more.planes,
  })
  const agency = await mesh.node('acme/agency', {
    serves: [trips],
    calls: flights.capabilities,
    serve(node) {
      node.serve(trips, { plan: async (_, hop) => ({ ended: endOf(await call(hop as Hop, node)) }) })
    },
  })
  const desk = await mesh.node('acme/desk', { calls: [trips.plan, ...flights.capabilities], ...more.desk })
  return {
    mesh,
    desk,
    agency,
    planes,
    reserved,
    async plan(options) {
      const outcome = await desk.tryCall(trips.plan, {}, options)
      return outcome.kind === 'ok' ? outcome.output.ended : endOf(outcome)
    },
    reserve: (options) => desk.tryCall(flights.reserve, { to: 'SFO', amount: 100 }, options),
    async hopsOf(node) {
      await mesh.clock.settle()
      return mesh.recordsOf(node).filter(({ kind }) => kind === 'hop')
    },
    [Symbol.asyncDispose]: () => mesh.close(),
  }
}

/** The owner's chain for the desk: everything that `flights` does, for an hour. */
export function agencyChain(
  mesh: TestMesh,
  more: Partial<Parameters<TestMesh['issuer']['delegate']>[0]> = {},
): Promise<readonly string[]> {
  return mesh.issuer.delegate({ to: 'acme/desk', capabilities: ['flights:reserve'], forMs: 3_600_000, ...more })
}
