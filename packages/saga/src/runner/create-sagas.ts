import { checkSchema } from '@parley/mesh'
import { allowed, isMeshError, MeshError, refuse, type Verdict } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import { planParts } from '../definition/plan-parts.ts'
import { copyJson, digestJson, findJsonProblem, isSameJson } from '../json-value.ts'
import { describeErased } from '../journal/data-keys.ts'
import type { JournaledEvent } from '../journal/journal-format.ts'
import { formatSagaStream, type SagaJournal } from '../journal/saga-journal.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import { proposeDecision } from '../kernel/propose.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isOver, type SagaState } from '../kernel/saga-state.ts'
import { describeSaga, type SagaView } from './describe-saga.ts'
import { defaultLeaseMs, createBellSweep } from './instance-lease.ts'
import { assertKey } from './key-queue.ts'
import { createLeaseWatch } from './lease-watch.ts'
import { createMailRoom } from './mail-room.ts'
import { createOrphanWatch } from './orphan-watch.ts'
import { createPaperShelf } from '../receipt/paper-shelf.ts'
import { createSagaGauge } from './saga-gauge.ts'
import { createSagaDesk } from './saga-desk.ts'
import type { SagaNode } from './saga-node.ts'
import type { SagaRun } from './saga-run.ts'
import type { Sagas, SagasOptions, StartOptions, StoppedSaga } from './sagas.ts'
import { createPace } from './pace.ts'
import { createRetention, defaultKeepEndedMs } from './retention.ts'
import { createAdoption, type Adopted } from './adopt-sagas.ts'

/** How many sagas are taken over at the same time, where nobody says: a store is asked by so many at once. */
export const defaultRecoveryConcurrency = 32

/**
 * Creates the runner of a node's sagas. Throws `saga.version-conflict` when one version has two structures, and
 * `mesh.config-invalid` for an option that is out of range.
 */
export function createSagas(node: SagaNode, options: SagasOptions): Sagas {
  assertOptions(options)
  const { leaseMs = defaultLeaseMs, recoveryConcurrency = defaultRecoveryConcurrency } = options
  const sweep = createBellSweep(node.store.keyValue, node.name)
  const onStirred = (id: string): void => {
    adoption.adoptOwn(id).catch((error: unknown) => {
      node.logger.error('saga.adoption-failed', { saga: id, error: error instanceof Error ? error.message : '' })
    })
  }
  const papers = createPaperShelf(node.name, node.store.keyValue)
  const gauge = createSagaGauge((view) => {
    tellStuck(node, options, view)
  })
  const desk = createSagaDesk(node, { ...options, papers, gauge, leaseMs, onStirred, onLetGo: () => watch.hurry() })
  const mail = createMailRoom(node, desk, papers)
  if (options.mailbox) node.onOutcome((mailed) => mail.hear(mailed))
  const adoption = createAdoption(node, desk, {
    concurrency: recoveryConcurrency,
    gauge,
    onAdopted: (id) => mail.deliver(id),
  })
  let found: Adopted = { adopted: [], stopped: [] }
  const retention = createRetention(node, desk, options.keepEndedMs ?? defaultKeepEndedMs)
  const watch = createOrphanWatch({
    node,
    leaseMs,
    leases: createLeaseWatch(node, node.name, leaseMs),
    adopt: async (alive) => {
      found = await adoption.adoptAll(alive)
      await sweep((one) => one === node.instance || alive.has(one))
    },
  })

  const begin = async (definition: SagaDefinition, input: unknown, how: StartOptions): Promise<SagaRun> => {
    const { id, key, delegation } = how
    const existing = await desk.findInTurn(id)
    if (existing) {
      assertSame(existing.feed.state, definition, input)
      return desk.attach(id, existing.feed)
    }
    const journal = desk.open(id)
    const past = await journal.read()
    if (past.length > 0) {
      const state = foldSaga(past.map(({ event }) => event))
      if (past[0]?.erased || state.sealed?.input === '') throw describeErased(formatSagaStream(node.name, id))
      assertSame(state, definition, input)
      desk.assertOwner(state)
      return desk.watch(id, journal, past, state)
    }
    desk.assertRoom(definition)
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
      ...(key !== undefined && { key }),
    }
    const owned: SagaEvent = { type: 'owned', instance: node.instance, epoch: 1 }
    return desk.drive({ id, journal, definition, past: [], unsaved: [started, owned], key })
  }

  const readSome = async (id: string, journal: SagaJournal): Promise<readonly JournaledEvent[]> => {
    const past = await journal.read()
    if (past.length === 0) throw new MeshError('saga.unknown', `${node.name} has no saga "${id}": check the id`)
    return past
  }

  return {
    async start<Input, Output>(
      definition: SagaDefinition<Input, Output>,
      input: NoInfer<Input>,
      how: StartOptions,
    ): Promise<SagaRun<Output>> {
      desk.assertOpen(how.id)
      if (how.key !== undefined) assertKey(how.key)
      const registered = desk.registry.find(definition)
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
      const run = await desk.serially(how.id, async () => {
        try {
          return await begin(registered, json, how)
        } catch (error) {
          // Somebody else started it meanwhile: then it is there.
          if (!isMeshError(error) || error.code !== 'saga.not-owned') throw error
          return begin(registered, json, how)
        }
      })
      // The definition's types were checked above; what runs has the same structure.
      return run as SagaRun<Output>
    },
    async attach(id) {
      const driver = await desk.find(id)
      if (driver) return desk.attach(id, driver.feed)
      const journal = desk.open(id)
      const past = await readSome(id, journal)
      return desk.watch(id, journal, past, foldSaga(past.map(({ event }) => event)))
    },
    async show(id) {
      const events = await readSome(id, desk.open(id))
      return { view: describeSaga(foldSaga(events.map(({ event }) => event))), events }
    },
    async resume() {
      await watch.begin()
      retention.begin()
      return found
    },
    async list() {
      const sagas: SagaView[] = []
      const stopped: StoppedSaga[] = []
      const pace = createPace(node.clock)
      for (const id of await desk.ids()) {
        await pace()
        try {
          const past = await desk.open(id).read()
          sagas.push(describeSaga(foldSaga(past.map(({ event }) => event))))
        } catch (error) {
          if (!isMeshError(error) || error.code.startsWith('store.')) throw error
          stopped.push({ id, error })
        }
      }
      return { sagas, stopped }
    },
    async decide(declaration): Promise<Verdict> {
      const verdict = options.verifyHuman?.(declaration)
      if (!verdict)
        return refuse(
          'saga.decision-refused',
          `nobody may decide about the sagas of ${node.name} here: give createSagas a verifyHuman`,
        )
      if (verdict.kind === 'deny') return verdict
      const { agent, saga, decided } = verdict.order
      if (agent !== node.name)
        return refuse('saga.decision-refused', `the declaration is about a saga of ${agent}, not of ${node.name}`)
      const said = await desk.note(saga, proposeDecision(decided))
      if (said.kind === 'allow' && decided.decision === 'cancel') await desk.driven.get(saga)?.stopCalls()
      return said
    },
    async erase(id) {
      const journal = desk.open(id)
      const state = foldSaga((await readSome(id, journal)).map(({ event }) => event))
      if (!isOver(state)) return refuse('saga.not-over', `the saga "${id}" is ${state.life.value}: it needs its bodies`)
      if (!state.sealed && journal.bodies() !== 'boxed')
        return refuse(
          'saga.not-erasable',
          `the saga "${id}" began without a data key: compact it when its time has come`,
        )
      await journal.erase()
      return allowed
    },
    compact: () => retention.sweep(),
    load: () => desk.load(),
    stats: () => gauge.stats(),
    drain: () => desk.drain(),
    async close() {
      watch.stop()
      retention.stop()
      await desk.close()
    },
    async [Symbol.asyncDispose]() {
      await this.close()
    },
  }
}

function assertOptions({ concurrency, maxBacklog, leaseMs, recoveryConcurrency, keepEndedMs }: SagasOptions): void {
  const wrong = Object.entries({ concurrency, maxBacklog, leaseMs, recoveryConcurrency })
    .filter(([, value = 1]) => !Number.isSafeInteger(value) || value < 1)
    .map(([name]) => `${name} is a whole number from 1`)
  if (keepEndedMs !== undefined && !(keepEndedMs >= 0)) wrong.push('keepEndedMs is a number from 0')
  if (wrong.length > 0) throw new MeshError('mesh.config-invalid', `createSagas: ${wrong.join('; ')}`)
}

/** What a listener throws is its own affair, and stops no saga. */
function tellStuck({ logger }: SagaNode, { onStuck }: SagasOptions, view: SagaView): void {
  try {
    onStuck?.(view)
  } catch (error) {
    logger.error('saga.listener-failed', { saga: view.id, error: error instanceof Error ? error.message : '' })
  }
}

function assertSame(state: SagaState, definition: SagaDefinition, input: unknown): void {
  const { id, definition: started, input: before } = state.started
  const isSame = state.sealed ? state.sealed.input === digestJson(input) : isSameJson(before, input)
  if (started.name === definition.name && isSame) return
  throw new MeshError('saga.id-conflict', `the saga "${id}" was started with another definition or input: use a new id`)
}
