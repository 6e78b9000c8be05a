import { createManualClock, createSeededRandom, type ManualClock } from '@parley/ports'
import { z } from 'zod'
import { defineContract } from '../contract/contract.ts'
import { assembleNode } from './create-node.ts'
import type { Pipelines } from './pipelines.ts'
import { localIssuer, type LocalMesh } from './local-issuer.ts'
import type { AppendedRecord } from './node-options.ts'
import type { MeshNode } from './node.ts'
import type { Outcome } from '../contract/outcome.ts'
import { outboundStages } from '../pipeline/outbound.ts'

/** What the pair is about. */
export const shop = defineContract('shop', {
  buy: { input: z.object({ item: z.string() }), output: z.object({ receipt: z.string() }), risk: 'reversible' },
})

/** A desk that buys at a shop, over an in-process bus, under one clock. */
export interface Pair extends AsyncDisposable {
  readonly clock: ManualClock
  readonly issuer: LocalMesh
  readonly desk: MeshNode
  readonly shop: MeshNode
  readonly records: { readonly desk: readonly AppendedRecord[]; readonly counter: readonly AppendedRecord[] }
  served(): number
  buy(deadlineMs?: number): Promise<Outcome>
}

/** Leaves the inbound pipeline as it is. */
export const asIs: Pipelines['inbound'] = (standard) => standard

/** Opens the two with pipelines of the test's own. */
export async function openPair(pipelines: {
  readonly inbound?: Pipelines['inbound']
  readonly outbound?: Pipelines['outbound']
  readonly deskCalls?: boolean
}): Promise<Pair> {
  const clock = createManualClock()
  const random = createSeededRandom(3)
  const issuer = localIssuer('acme', { clock, random })
  const records: { readonly desk: AppendedRecord[]; readonly counter: AppendedRecord[] } = { desk: [], counter: [] }
  let served = 0
  const counter = await assembleNode(
    { name: 'acme/shop', issuer, clock, random, serves: [shop], onRecord: (record) => records.counter.push(record) },
    { inbound: pipelines.inbound ?? asIs, outbound: outboundStages },
  )
  counter.serve(shop, {
    buy: () => {
      served += 1
      return { receipt: 'r' }
    },
  })
  const desk = await assembleNode(
    {
      name: 'acme/desk',
      issuer,
      clock,
      random,
      calls: pipelines.deskCalls === false ? [] : [shop.buy],
      onRecord: (record) => records.desk.push(record),
    },
    { inbound: asIs, outbound: pipelines.outbound ?? outboundStages },
  )
  await Promise.all([counter.start(), desk.start()])
  await clock.advance(50)
  return {
    clock,
    issuer,
    desk,
    shop: counter,
    records,
    served: () => served,
    async buy(deadlineMs = 200) {
      const call = desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs })
      await clock.advance(deadlineMs)
      const outcome = await call
      await clock.settle()
      return outcome
    },
    async [Symbol.asyncDispose]() {
      const closed = Promise.all([counter.close(), desk.close()])
      await clock.advance(3_000)
      await closed
    },
  }
}

/** Tells whether a record is of a hop. */
export const isHop = ({ kind }: AppendedRecord): boolean => kind === 'hop'
