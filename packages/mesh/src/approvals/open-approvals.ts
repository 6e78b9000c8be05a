import { createAnchors, createOrderBook, type Anchor } from '@parley/identity'
import { silentLogger, systemHash, type Clock, type Random, type Store } from '@parley/ports'
import { createOrderStore } from '../orders/order-store.ts'
import type { NodePolicy } from '../policy/node-policy.ts'
import { createApprovalDesk } from './approval-desk.ts'

/** What a store is read with where its node does not run. */
export interface StoredApprovals {
  readonly store: Store
  readonly mesh: string
  /** Owners of the people who may answer. Without any, no answer is taken. */
  readonly anchors: readonly Anchor[]
  readonly clock: Clock
  readonly random: Random
}

/**
 * Opens the approvals in the store of a stopped node, with the orders that it knew. What is answered here the node verifies
 * again, under its own anchors, when a call comes; the answer itself goes on no audit record, its use does. Rejects with
 * `store.corrupt` for orders that do not hold.
 */
export async function openApprovals(stored: StoredApprovals): Promise<NodePolicy['approvals']> {
  const { store, mesh, clock, random } = stored
  const anchors = createAnchors(stored.anchors)
  const orders = createOrderBook({ anchors })
  const owners = stored.anchors.map(({ owner }) => owner)
  await createOrderStore(store, mesh, clock, silentLogger).load(owners, orders)
  return createApprovalDesk({
    keyValue: store.keyValue,
    clock,
    random,
    hash: systemHash,
    anchors,
    orders,
    note: () => undefined,
  })
}
