import { checkSchema } from '@parley/mesh'
import { isMeshError, MeshError } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import { planParts } from '../definition/plan-parts.ts'
import { formatSagaPrefix, formatSagaStream, openSagaJournal, type SagaJournal } from '../journal/saga-journal.ts'
import type { JournaledEvent } from '../journal/journal-format.ts'
import { copyJson, findJsonProblem, isSameJson } from '../json-value.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isEnded, type SagaState } from '../kernel/saga-state.ts'
import { createDefinitionRegistry } from './definition-registry.ts'
import { driveSaga, type SagaDriver } from './drive-saga.ts'
import { followSaga } from './follow-saga.ts'
import { createSagaFeed } from './saga-feed.ts'
import type { SagaNode } from './saga-node.ts'
import { createSagaRun, type SagaRun } from './saga-run.ts'
import { createSlots } from './slots.ts'

/** How many sagas one process drives at a time, where it does not say: each holds its events in memory. */
export const defaultConcurrency = 1_000

/** What a process needs to run sagas. */
export interface SagasOptions {
  /** Every version that may still be under way; new sagas take the one that they are started with. */
  readonly definitions: readonly SagaDefinition[]
  /** Most sagas driven at a time; the others are durable and wait. */
  readonly concurrency?: number
}

/** How one saga is started. */
export interface StartOptions {
  /** Unique under the agent's name: starting it again with the same input returns the same saga. */
  readonly id: string
  /** The chain that all steps act under which have none of their own, root first. */
  readonly delegation?: readonly string[]
}

/** A saga that this process cannot go on with; the others run on. */
export interface StoppedSaga {
  readonly id: string
  readonly error: MeshError
}

/** The sagas of one agent, run by this process. */
export interface Sagas extends AsyncDisposable {
  /**
   * Starts a saga; resolves once it is durable. Rejects with `contract.input-invalid`, `saga.id-invalid`,
   * `saga.id-conflict` (the id has another definition or input), `saga.version-unknown` (not among the definitions),
   * `saga.version-conflict`, `saga.owner-changed` (the name has another owner than when the saga began), `saga.closed`.
   */
  start<Input, Output>(
    definition: SagaDefinition<Input, Output>,
    input: NoInfer<Input>,
    options: StartOptions,
  ): Promise<SagaRun<Output>>
  /** Watches a saga of this agent, wherever it runs. Rejects with `saga.unknown`, `saga.journal-corrupt`. */
  attach(id: string): Promise<SagaRun>
  /**
   * Takes over every unfinished saga of this agent's name that this process does not drive yet, fencing off whoever had it.
   * Call it after the node started.
   */
  resume(): Promise<{ readonly runs: readonly SagaRun[]; readonly stopped: readonly StoppedSaga[] }>
  /** Stops driving. Nothing is lost: another instance of the name, or this one later, resumes. Idempotent. */
  close(): Promise<void>
}

/** Creates the runner of a node's sagas. Throws `saga.version-conflict` when one version has two structures. */
export function createSagas(node: SagaNode, options: SagasOptions): Sagas {
  const registry = createDefinitionRegistry(options.definitions)
  const slots = createSlots(options.concurrency ?? defaultConcurrency)
  const driven = new Map<string, SagaDriver>()
  const followers = new Set<(error: Error) => void>()
  const opening = new Map<string, Promise<SagaRun>>()
  let closed = false

  const open = (id: string): SagaJournal =>
    openSagaJournal(node.store.journal, formatSagaStream(node.name, id), node.clock)

  const drive = async (
    id: string,
    journal: SagaJournal,
    definition: SagaDefinition | undefined,
    past: readonly JournaledEvent[],
    unsaved: readonly SagaEvent[],
  ): Promise<SagaRun> => {
    const free = slots.tryTake()
    const release = async (driver: SagaDriver): Promise<void> => {
      if (!free) await slots.take()
      driver.go()
      await driver.done
      slots.release()
      if (driven.get(id) === driver) driven.delete(id)
    }
    try {
      const from = { node, journal, past, unsaved, held: !free, ...(definition && { definition }) }
      const driver = await driveSaga(from)
      driven.set(id, driver)
      void release(driver)
      if (closed) await driver.stop(closedError(id))
      return createSagaRun(driver.feed, driver.cancel)
    } catch (error) {
      if (free) slots.release()
      throw error
    }
  }

  const watch = (journal: SagaJournal, past: readonly JournaledEvent[]): SagaRun => {
    const feed = createSagaFeed(past)
    if (!isEnded(feed.state)) {
      const stop = followSaga(feed, journal, node.clock, () => followers.delete(stop))
      followers.add(stop)
    }
    return createSagaRun(feed)
  }

  const begin = async (
    definition: SagaDefinition,
    input: unknown,
    { id, delegation }: StartOptions,
  ): Promise<SagaRun> => {
    const existing = driven.get(id)
    if (existing) {
      assertSame(existing.feed.state, definition, input)
      return createSagaRun(existing.feed, existing.cancel)
    }
    const journal = open(id)
    const past = await journal.read()
    if (past.length > 0) {
      const state = foldSaga(past.map(({ event }) => event))
      assertSame(state, definition, input)
      assertOwner(state, node)
      return watch(journal, past)
    }
    const { name, version, fingerprint } = definition
    const started: SagaEvent = {
      type: 'started',
      id,
      owner: node.owner,
      definition: { name, version, fingerprint },
      plan: planParts(definition.parts, { input }),
      input,
      expiresAtMs: node.clock.now() + definition.expiresAfterMs,
      trace: Buffer.from(node.random.bytes(16)).toString('hex'),
      ...(delegation && { delegation }),
    }
    return drive(id, journal, definition, [], [started, { type: 'owned', instance: node.instance, epoch: 1 }])
  }

  const takeOver = async (id: string): Promise<SagaRun | undefined> => {
    const journal = open(id)
    const past = await journal.read()
    const state = foldSaga(past.map(({ event }) => event))
    if (isEnded(state)) return undefined
    assertOwner(state, node)
    const definition = registry.find(state.started.definition)
    return drive(id, journal, definition, past, [
      { type: 'owned', instance: node.instance, epoch: state.epoch + 1 },
      ...listInterrupted(state),
    ])
  }

  /** One at a time for each id, so that two starts of this process are one. */
  const serially = (id: string, work: () => Promise<SagaRun>): Promise<SagaRun> => {
    const before = opening.get(id)
    const current = before ? before.then(work, work) : work()
    opening.set(id, current)
    const forget = (): void => {
      if (opening.get(id) === current) opening.delete(id)
    }
    current.then(forget, forget)
    return current
  }

  return {
    async start<Input, Output>(
      definition: SagaDefinition<Input, Output>,
      input: NoInfer<Input>,
      startOptions: StartOptions,
    ): Promise<SagaRun<Output>> {
      const { id } = startOptions
      if (closed) throw closedError(id)
      const registered = registry.find(definition)
      if (!registered)
        throw new MeshError(
          'saga.version-unknown',
          `version ${definition.version} of the saga "${definition.name}" is not registered: give it to createSagas, so that it can be resumed`,
        )
      const checked = await checkSchema(definition.input, input)
      const problem = checked.kind === 'invalid' ? checked.problems : findJsonProblem(checked.value ?? null, 'input')
      if (problem !== undefined || checked.kind === 'invalid')
        throw new MeshError(
          'contract.input-invalid',
          `the input of the saga "${definition.name}" is refused: ${problem}`,
        )
      const json = copyJson(checked.value) ?? null
      const run = await serially(id, async () => {
        try {
          return await begin(registered, json, startOptions)
        } catch (error) {
          // Somebody else started it meanwhile: then it is there.
          if (!isMeshError(error) || error.code !== 'saga.not-owned') throw error
          return begin(registered, json, startOptions)
        }
      })
      // The definition's types were checked above; what runs has the same structure.
      return run as SagaRun<Output>
    },
    async attach(id) {
      const driver = driven.get(id)
      if (driver) return createSagaRun(driver.feed, driver.cancel)
      const journal = open(id)
      const past = await journal.read()
      if (past.length === 0) throw new MeshError('saga.unknown', `${node.name} has no saga "${id}": check the id`)
      return watch(journal, past)
    },
    async resume() {
      const runs: SagaRun[] = []
      const stopped: StoppedSaga[] = []
      const prefix = formatSagaPrefix(node.name)
      for (const stream of await node.store.journal.streams(prefix)) {
        const id = stream.slice(prefix.length)
        if (closed) break
        if (driven.has(id) || opening.has(id)) continue
        try {
          const run = await takeOver(id)
          if (run) runs.push(run)
        } catch (error) {
          // Only this saga is concerned. A store that is gone concerns all of them.
          if (!isMeshError(error) || error.code.startsWith('store.')) throw error
          if (error.code === 'saga.not-owned') continue
          stopped.push({ id, error })
          node.logger.error(error.code, { saga: id, message: error.message })
          node.record('saga', { saga: id, event: 'stopped', code: error.code })
        }
      }
      return { runs, stopped }
    },
    async close() {
      closed = true
      for (const stop of followers) stop(closedError('followed'))
      followers.clear()
      await Promise.all([...driven].map(([id, driver]) => driver.stop(closedError(id))))
    },
    async [Symbol.asyncDispose]() {
      await this.close()
    },
  }
}

/** What was under way when its owner stopped may have been done: nobody knows until its participant is asked. */
function listInterrupted(state: SagaState): readonly SagaEvent[] {
  return Object.values(state.steps)
    .filter((step) => step.snapshot.value === 'executing')
    .map((step) => ({ type: 'unknown', step: step.plan.name, code: 'saga.interrupted' }))
}

function assertSame(state: SagaState, definition: SagaDefinition, input: unknown): void {
  const { id, definition: started, input: before } = state.started
  if (started.name === definition.name && isSameJson(before, input)) return
  throw new MeshError('saga.id-conflict', `the saga "${id}" was started with another definition or input: use a new id`)
}

/** Participants know commands by owner: under another one, an undo would meet a tombstone and leave the effect. */
function assertOwner({ started }: SagaState, { name, owner }: SagaNode): void {
  if (started.owner === owner) return
  throw new MeshError(
    'saga.owner-changed',
    `the saga "${started.id}" was started under ${started.owner}, but ${name} is now vouched for by ${owner}: resume it with an issuer of the first`,
  )
}

function closedError(id: string): MeshError {
  return new MeshError('saga.closed', `this process does not drive the saga "${id}" any more: resume it with another`)
}
