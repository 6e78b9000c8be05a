import { openFileIssuer } from '@parley/identity'
import { createNode } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import { createSagas, shareSagas } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { drawSaga } from '../sim/draw-saga.ts'
import { trips } from '../sim/trip-contract.ts'
import { openSharedStore } from './broker.ts'
import { sagaRandom, type ChaosPlan } from './chaos-plan.ts'
import { readEffects } from './read-facts.ts'
import { databaseFile, issuerFolder, rivalName } from './setup.ts'

/** What an instance of another name tried, and what it achieved, which must be nothing. */
export interface Trespass {
  /** Undos that it sent for effects that stood. */
  readonly undos: number
  readonly achieved: readonly string[]
}

/** High enough to fence everybody out, if a participant took it for the owner. */
const highEpoch = 1_000_000
const clock = createSystemClock()
const random = createSystemRandom()

/**
 * Acts as an instance of another name under the same owner, with the same definitions and the same store: takes over what
 * it finds, opens what it knows by id, and undoes what stands.
 */
export async function trespass(
  plan: ChaosPlan,
  folder: string,
  urls: readonly string[],
  agents: readonly string[],
  lifeOf: (process: string) => number | undefined,
): Promise<Trespass> {
  const achieved: string[] = []
  await using shared = plan.stage === 'sqlite' ? undefined : disposable(await openSharedStore(urls, plan.stage))
  if (!shared) achieved.push(...(await stealFile(plan, folder, lifeOf)))
  await using own = disposable(await openSqliteStore({ path: ':memory:' }))
  const store = shared ? shareSagas(own.store, shared.store) : own.store
  await using node = await createNode({
    name: rivalName,
    issuer: await openFileIssuer({ dir: issuerFolder(folder), clock, random }),
    calls: trips.capabilities,
    nats: { servers: [...urls], reconnectWaitMs: 50 },
    heartbeatMs: 300,
    store,
  })
  await node.start()
  const definitions = plan.sagas.map(({ id }, at) => drawSaga(sagaRandom(plan, at), id))
  await using sagas = createSagas(node, { definitions, leaseMs: 100 })
  const { adopted, stopped } = await sagas.resume()
  achieved.push(...[...adopted, ...stopped.map(({ id }) => id)].map((id) => `${rivalName} took ${id} over`))
  for (const { id } of plan.sagas) {
    try {
      await sagas.attach(id)
      achieved.push(`${rivalName} opened ${id}`)
    } catch (error) {
      if (!isMeshError(error) || error.code !== 'saga.unknown') throw error
    }
  }
  let undos = 0
  for (const agent of agents)
    for (const { kind, saga, step, key } of readEffects(databaseFile(folder, agent), agent).slice(-6)) {
      if (kind !== 'do') continue
      undos++
      await node.tryCall(
        trips.reserve,
        { what: '' },
        {
          to: agent as 'acme/cars',
          deadlineMs: 500,
          authority: 'own',
          saga: {
            id: saga,
            step,
            key,
            attempt: 1,
            epoch: highEpoch,
            phase: 'undo',
            expiresAtMs: clock.now() + 60_000,
          },
        },
      )
    }
  return { undos, achieved }
}

/** One process a file: whoever else opens it is refused while its process is there, stopped or not. */
async function stealFile(
  { desks: [desk = ''] }: ChaosPlan,
  folder: string,
  lifeOf: (process: string) => number | undefined,
): Promise<readonly string[]> {
  const life = lifeOf(desk)
  if (life === undefined) return []
  try {
    const store = await openSqliteStore({ path: databaseFile(folder, desk) })
    await store.close()
    return lifeOf(desk) === life ? [`${rivalName} opened the store of ${desk}`] : []
  } catch (error) {
    if (!isMeshError(error)) throw error
    return []
  }
}

function disposable<S extends { close(): Promise<void> }>(store: S): { readonly store: S } & AsyncDisposable {
  return { store, [Symbol.asyncDispose]: () => store.close() }
}
