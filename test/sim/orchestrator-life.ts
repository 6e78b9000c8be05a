import { createNode } from '@parley/mesh'
import type { Store } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import { createSagas, type SagaDefinition, type Sagas } from '@parley/saga'
import type { SimProcess } from '@parley/testkit'
import type { NodePorts } from './node-ports.ts'
import type { Wish } from './sim-facts.ts'
import { trips, type Trip } from './trip-contract.ts'

/** One life of an orchestrator. */
export interface Orchestrator {
  readonly instance: string
  readonly sagas: Sagas
  /** Starts a saga. Tells `acknowledged` once its start is durable. */
  start(wish: Wish, acknowledged: () => void): void
  /** Takes over what nobody drives, now and from then on. */
  resume(): void
  cancel(id: string): void
}

/** Begins one life of an orchestrator; its store has the sagas that all instances of its name share. */
export async function liveOrchestrator(
  process: SimProcess,
  store: Store,
  ports: NodePorts,
  {
    definitions,
    leaseMs,
  }: { readonly definitions: ReadonlyMap<string, SagaDefinition<Trip>>; readonly leaseMs: number },
): Promise<Orchestrator> {
  const node = await createNode({
    ...ports(process, store),
    name: 'acme/desk',
    calls: Object.values(trips).filter((one) => typeof one === 'object' && 'capability' in one),
  })
  await node.start()
  const sagas = createSagas(node, { definitions: [...definitions.values()], leaseMs })
  const attempt = (what: string, work: () => Promise<unknown>): void => {
    process.enter(() => {
      work().catch((error: unknown) => {
        process.note(`${what} fails: ${isMeshError(error) ? error.code : String(error)}`)
      })
    })
  }
  return {
    instance: node.instance,
    sagas,
    start(wish, acknowledged) {
      const definition = definitions.get(wish.id)
      if (!definition) throw new TypeError(`no saga ${wish.id}`)
      const { id, chain } = wish
      attempt(`the start of ${id}`, async () => {
        await sagas.start(definition, { trip: id }, { id, ...(chain && { delegation: chain.links }) })
        acknowledged()
      })
    },
    resume() {
      attempt('resume', async () => {
        const { adopted, stopped } = await sagas.resume()
        for (const { id, error } of stopped) process.note(`${id} is stopped: ${error.code}`)
        for (const id of adopted)
          attempt(id, async () => {
            await (await sagas.attach(id)).settled()
          })
      })
    },
    cancel(id) {
      attempt(`the cancel of ${id}`, async () => {
        const run = await sagas.attach(id)
        const verdict = await run.cancel('the traveller stays at home')
        process.note(`the cancel of ${id} is answered: ${verdict.kind === 'allow' ? 'yes' : verdict.code}`)
      })
    },
  }
}
