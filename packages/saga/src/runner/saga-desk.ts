import pLimit from 'p-limit'
import { createPassingMap, type PassingMap } from '@parley/ports'
import { isMeshError, MeshError, type Verdict } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import type { JournaledEvent } from '../journal/journal-format.ts'
import { describeErased } from '../journal/data-keys.ts'
import { peekIsOver } from '../journal/peek-journal.ts'
import { formatSagaPrefix, formatSagaStream, openSagaJournal, type SagaJournal } from '../journal/saga-journal.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import { holdToOwner, type Proposal } from '../kernel/propose.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isEnded, isOver, type SagaState } from '../kernel/saga-state.ts'
import { createDefinitionRegistry, type DefinitionRegistry } from './definition-registry.ts'
import { driveSaga, type DriveOptions, type SagaDriver } from './drive-saga.ts'
import { followSaga, type FollowedSaga } from './follow-saga.ts'
import { createInstanceLease, formatBellPrefix, formatLeasePrefix } from './instance-lease.ts'
import { noteSaga } from './note-saga.ts'
import { createParkedSagas } from './parked-sagas.ts'
import { createPlaces, defaultConcurrency, defaultMaxBacklog, type Places } from './places.ts'
import { createSagaFeed, type SagaFeed } from './saga-feed.ts'
import type { SagaGauge } from './saga-gauge.ts'
import type { SagaNode } from './saga-node.ts'
import { createSagaRun, type RunLine, type SagaRun } from './saga-run.ts'
import type { SagaLoad, SagasOptions } from './sagas.ts'
import { createTurns } from './turns.ts'

/** How many sagas are read at a time whose time has come. */
const maxWakes = 32

/** Ids of finished sagas that are remembered, so that a look for orphans reads them once. */
const maxOver = 100_000

/** One saga to be driven here. */
export interface DriveRequest {
  readonly id: string
  readonly journal: SagaJournal
  readonly definition: SagaDefinition | undefined
  readonly past: readonly JournaledEvent[]
  /** The fold of the past, where there is one. */
  readonly state?: SagaState
  readonly unsaved: readonly SagaEvent[]
  readonly key: string | undefined
  /** The feed that somebody holds since the saga was parked. */
  readonly feed?: SagaFeed
}

/** What one process knows of its agent's sagas: those it drives, and the way to the others. */
export interface SagaDesk {
  readonly registry: DefinitionRegistry
  readonly driven: Pick<PassingMap<string, SagaDriver>, 'get' | 'has' | 'size'>
  /** Sagas that are known to be over for good. */
  readonly over: Pick<Set<string>, 'add' | 'has'>
  ids(): Promise<readonly string[]>
  open(id: string): SagaJournal
  /** Tells whether a saga is over, by its last entry alone. */
  isKnownOver(id: string): Promise<boolean>
  isBusy(id: string): boolean
  isClosed(): boolean
  /** Finds the driver of a saga that this process has; one that was parked is driven again. */
  find(id: string): Promise<SagaDriver | undefined>
  /** The same, for who has the turn of this id. */
  findInTurn(id: string): Promise<SagaDriver | undefined>
  /** One at a time for each id, so that two starts of this process are one. */
  serially<Result>(id: string, work: () => Promise<Result>): Promise<Result>
  drive(request: DriveRequest): Promise<SagaRun>
  attach(id: string, feed: SagaFeed): SagaRun
  /** `state` is the fold of the past. */
  watch(id: string, journal: SagaJournal, past: readonly JournaledEvent[], state: SagaState): SagaRun
  /** Adds to a saga, wherever it is driven, and sees that it is noticed. */
  note(id: string, propose: Proposal): Promise<Verdict>
  assertOpen(id: string): void
  assertOwner(state: SagaState): void
  /** Throws `saga.backlog-full` where too many sagas of the definition wait for a place. */
  assertRoom(definition: SagaDefinition): void
  load(): readonly SagaLoad[]
  drain(): Promise<void>
  close(): Promise<void>
}

/** What a desk is told besides what the user says. */
export interface DeskOptions extends SagasOptions, Pick<DriveOptions, 'papers'> {
  readonly gauge: SagaGauge
  readonly leaseMs: number
  /** Something was added to a saga of this instance that nobody drives, for instance a decision about a stuck one. */
  readonly onStirred: (id: string) => void
  /** This process had to stop driving a saga that is its own. */
  readonly onLetGo: () => void
}

/** Creates a desk that drives nothing yet. */
export function createSagaDesk(node: SagaNode, options: DeskOptions): SagaDesk {
  const registry = createDefinitionRegistry(options.definitions)
  const places = new Map<string, Places>()
  const driven = createPassingMap<string, SagaDriver>()
  const over = new Set<string>()
  const followed = new Map<string, FollowedSaga>()
  const opening = createPassingMap<string, Promise<unknown>>()
  const { journal: journals, keyValue } = node.store
  let closed = false
  let used = false

  const lease = createInstanceLease({
    node,
    leaseMs: options.leaseMs,
    inUse() {
      const wasUsed = used || driven.size + parked.size > 0
      used = false
      return wasUsed
    },
    onBell(ids) {
      for (const id of ids) {
        const driver = driven.get(id)
        if (driver) driver.look()
        else if (parked.has(id)) void wake(id)
        else options.onStirred(id)
      }
    },
  })

  // After an outage many are due at once: so many of them are read at a time (T16).
  const limitWakes = pLimit(maxWakes)
  const parked = createParkedSagas(node.clock, (id) => void limitWakes(() => wake(id)))
  const wake = async (id: string): Promise<void> => {
    try {
      await find(id)
    } catch (error) {
      // It is nobody's now, and whoever looks for orphans tells of it: this process, too.
      node.logger.warn('saga.adoption-failed', { saga: id, error: error instanceof Error ? error.message : '' })
    }
  }
  const find = async (id: string): Promise<SagaDriver | undefined> => {
    while (!driven.has(id) && parked.has(id)) await serially(id, () => findInTurn(id))
    return driven.get(id)
  }
  const findInTurn = async (id: string): Promise<SagaDriver | undefined> => {
    if (driven.has(id) || !parked.has(id)) return driven.get(id)
    const feed = parked.take(id)
    try {
      const journal = open(id)
      const past = await journal.read()
      const state = foldSaga(past.map(({ event }) => event))
      if (state.instance !== node.instance) throw takenError(id)
      const definition = registry.find(state.started.definition)
      // Its turn among the sagas of its key has come long ago.
      return await drive({ id, journal, definition, past, state, unsaved: [], key: undefined, ...(feed && { feed }) })
    } catch (error) {
      feed?.stop(error instanceof Error ? error : new Error('a saga could not be driven on', { cause: error }))
      turns.pass(id)
      if (isMeshError(error) && error.code === 'saga.not-owned') return undefined
      if (!closed) options.onLetGo()
      throw error
    }
  }
  /** Lets go of a saga that waits for somebody, once all that this turn of the loop does with it is done. */
  const letRest = (id: string): void => {
    node.clock.defer(() => {
      const driver = driven.get(id)
      const rest = closed ? undefined : driver?.park()
      if (!driver || !rest) return
      driven.delete(id)
      parked.park(id, driver.feed, rest.wakeAtMs)
    })
  }

  const placesOf = (name: string, definition?: SagaDefinition): Places => {
    const known = places.get(name)
    if (known) return known
    const created = createPlaces(definition?.concurrency ?? options.concurrency ?? defaultConcurrency)
    places.set(name, created)
    return created
  }

  const { dataKeys } = options
  const vault = { keyValue, ...(dataKeys && { dataKeys, makesKeys: true }) }
  const open = (id: string): SagaJournal => openSagaJournal(journals, formatSagaStream(node.name, id), node, vault)

  const isKnownOver = async (id: string): Promise<boolean> => {
    if (over.has(id)) return true
    if (!(await peekIsOver(journals, formatSagaStream(node.name, id)))) return false
    if (over.size < maxOver) over.add(id)
    return true
  }

  const isDriven = (id: string): boolean => {
    const driver = driven.get(id)
    return driver !== undefined && !isEnded(driver.feed.state)
  }
  const turns = createTurns({
    journal: journals,
    name: node.name,
    clock: node.clock,
    isHere: (id) => parked.has(id) || isDriven(id),
    isOver: async (id) => closed || isKnownOver(id),
  })

  const line = (id: string, definition: SagaDefinition | undefined): RunLine => ({
    definition,
    note: (propose) => note(id, propose),
    stopCalls: async () => (await driven.get(id)?.stopCalls()) ?? {},
  })

  const note = async (id: string, proposal: Proposal): Promise<Verdict> => {
    const propose = holdToOwner(node.owner, proposal)
    const driver = await find(id)
    if (driver && !driver.feed.stopped) return driver.note(propose)
    const { verdict, instance } = await noteSaga(() => open(id), id, propose)
    if (instance === node.instance) options.onStirred(id)
    else if (instance !== undefined) {
      await keyValue.put(`${formatBellPrefix(node.name, instance)}${id}`, new Uint8Array())
      // Where nobody is there to hear it, the saga is for whoever looks for orphans.
      if (!(await keyValue.get(`${formatLeasePrefix(node.name)}${instance}`))) options.onLetGo()
    }
    return verdict
  }

  const drive = async (request: DriveRequest): Promise<SagaDriver> => {
    const { id, journal, definition, past, state, unsaved, key, feed } = request
    if (past.some(({ erased }) => erased)) throw describeErased(formatSagaStream(node.name, id))
    const gate = Promise.withResolvers<undefined>()
    used = true
    await lease.hold()
    if (closed) throw closedError(id)
    const driver = await driveSaga({
      node,
      journal,
      past,
      unsaved,
      place: placesOf(definition?.name ?? '', definition).claim(),
      papers: options.papers,
      onMoved: options.gauge.moved,
      mailbox: options.mailbox ?? false,
      onRest: () => letRest(id),
      ...(state && { state }),
      ...(definition && { definition }),
      ...(feed && { feed }),
      ...(key !== undefined && { gate: gate.promise }),
    })
    driven.set(id, driver)
    void driver.done.then(() => {
      if (driven.get(id) === driver) driven.delete(id)
      turns.pass(id)
      if (driver.feed.stopped) options.gauge.left(id)
      if (isOver(driver.feed.state) && over.size < maxOver) over.add(id)
      // A store that failed may come back: this instance tries again, as any other of the name could.
      if (driver.feed.stopped && !closed) options.onLetGo()
    })
    if (key !== undefined)
      void turns
        .take(driver, id, key, past.length === 0)
        .catch((error: unknown) => driver.stop(error instanceof Error ? error : new Error('the queue failed')))
        .then(() => gate.resolve(undefined))
    if (closed) await driver.stop(closedError(id))
    return driver
  }

  const serially = <Result>(id: string, work: () => Promise<Result>): Promise<Result> => {
    const before = opening.get(id)
    const current = before ? before.then(work, work) : work()
    opening.set(id, current)
    const forget = (): boolean => opening.get(id) === current && opening.delete(id)
    current.then(forget, forget)
    return current
  }

  return {
    registry,
    driven,
    over,
    open,
    note,
    find,
    findInTurn,
    async drive(request) {
      return createSagaRun((await drive(request)).feed, line(request.id, request.definition))
    },
    isKnownOver,
    async ids() {
      const prefix = formatSagaPrefix(node.name)
      return (await journals.streams(prefix)).map((stream) => stream.slice(prefix.length))
    },
    isBusy: (id) => driven.has(id) || parked.has(id) || opening.has(id),
    isClosed: () => closed,
    serially,
    attach: (id, feed) => createSagaRun(feed, line(id, registry.find(feed.state.started.definition))),
    watch(id, journal, past, state) {
      const known = followed.get(id)?.feed()
      if (known && !known.stopped) return this.attach(id, known)
      const feed = createSagaFeed(past, state)
      if (!isEnded(feed.state)) {
        const one = followSaga(feed, journal, node.clock, () => {
          if (followed.get(id) === one) followed.delete(id)
        })
        followed.set(id, one)
      }
      return this.attach(id, feed)
    },
    assertOpen(id) {
      if (closed) throw closedError(id)
    },
    assertOwner({ started }) {
      // Participants know commands by owner: under another one, an undo would meet a tombstone and leave the effect.
      if (started.owner === node.owner) return
      throw new MeshError(
        'saga.owner-changed',
        `the saga "${started.id}" was started under ${started.owner}, but ${node.name} is now vouched for by ${node.owner}: resume it with an issuer of the first`,
      )
    },
    assertRoom(definition) {
      const { waiting } = placesOf(definition.name, definition).count()
      const most = options.maxBacklog ?? defaultMaxBacklog
      if (waiting < most) return
      throw new MeshError(
        'saga.backlog-full',
        `${waiting} sagas "${definition.name}" wait for a place already: start fewer, or raise concurrency or maxBacklog`,
        { details: { waiting } },
      )
    },
    load: () =>
      [...places].map(([definition, of]) => {
        const { taken, waiting } = of.count()
        return { definition, running: taken, waiting }
      }),
    async drain() {
      closed = true
      await Promise.allSettled(opening.values())
      await Promise.all(driven.values().map((driver) => driver.drain()))
    },
    async close() {
      closed = true
      for (const [id, one] of followed) one.stop(closedError(id))
      followed.clear()
      parked.close(closedError)
      turns.close()
      await Promise.allSettled(opening.values())
      await Promise.all(Array.from(driven.keys(), async (id) => driven.get(id)?.stop(closedError(id))))
      await lease.release()
    },
  }
}

function takenError(id: string): MeshError {
  return new MeshError('saga.not-owned', `another instance took the saga "${id}" over`)
}

function closedError(id: string): MeshError {
  return new MeshError('saga.closed', `this process does not drive the saga "${id}" any more: resume it with another`)
}
