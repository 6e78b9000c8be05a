import { createTestMesh, type TestMesh, type TestNodeOptions } from '@parley/testkit'
import {
  defineContract,
  type AppendedRecord,
  type ContractCapability,
  type MeshNode,
  type Outcome,
  type Serves,
} from '@parley/mesh'
import { z } from 'zod'

/** A contract with a capability for each risk, and one declared error. */
export const shop = defineContract('shop', {
  look: { input: z.object({ item: z.string() }), output: z.object({ cents: z.number() }), risk: 'read' },
  buy: {
    input: z.object({ item: z.string() }),
    output: z.object({ receipt: z.string() }),
    errors: { 'sold-out': z.object({ left: z.number() }) },
    risk: 'reversible',
  },
  burn: { input: z.object({}), output: z.object({}), risk: 'irreversible' },
  wipe: { input: z.object({}), output: z.object({}), risk: 'administrative' },
})

/** Serves that work, for tests that are about something else. */
export const soundServes: Serves<typeof shop> = {
  look: () => ({ cents: 5 }),
  buy: ({ item }, hop) => ({ receipt: `${item} for ${hop.caller.name}` }),
  burn: () => ({}),
  wipe: () => ({}),
}

/** A mesh with `acme/shop`, which serves, and `acme/desk`, which calls. */
export interface ShopMesh extends AsyncDisposable {
  readonly mesh: TestMesh
  readonly counter: MeshNode
  readonly desk: MeshNode
  /** Calls `shop:buy` from the desk. */
  buy(item?: string): Promise<Outcome>
  /** The hop records of a node, once everything is written. */
  hopsOf(node: MeshNode): Promise<readonly AppendedRecord[]>
}

/** Opens the shop; `serves` replaces single handlers, the rest is sound. */
export async function openShop(
  serves: Partial<Serves<typeof shop>> = {},
  more: { readonly counter?: TestNodeOptions; readonly desk?: TestNodeOptions; readonly seed?: number } = {},
): Promise<ShopMesh> {
  const mesh = createTestMesh({ seed: more.seed ?? 1 })
  const counter = await mesh.node('acme/shop', {
    serves: [shop],
    serve: (node) => {
      node.serve(shop, { ...soundServes, ...serves })
    },
    ...more.counter,
  })
  const desk = await mesh.node('acme/desk', { calls: [shop.look, shop.buy, shop.burn, shop.wipe], ...more.desk })
  return {
    mesh,
    counter,
    desk,
    buy: (item = 'lamp') => desk.tryCall(shop.buy, { item }),
    async hopsOf(node) {
      await mesh.clock.settle()
      return mesh.recordsOf(node).filter(({ kind }) => kind === 'hop')
    },
    [Symbol.asyncDispose]: () => mesh.close(),
  }
}

/** The same capability as a caller has it that does not check what it sends. */
export function unchecked<C extends ContractCapability>(capability: C): C {
  const standard = { ...capability.input['~standard'], validate: (value: unknown) => ({ value }) }
  return { ...capability, input: { '~standard': standard } }
}
