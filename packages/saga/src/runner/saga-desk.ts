import { MeshError, type Verdict } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import type { JournaledEvent } from '../journal/journal-format.ts'
import { peekIsOver } from '../journal/peek-journal.ts'
import { formatSagaPrefix, formatSagaStream, openSagaJournal, type SagaJournal } from '../journal/saga-journal.ts'
import type { Proposal } from '../kernel/propose.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isEnded, isOver, type SagaState } from '../kernel/saga-state.ts'
import { createDefinitionRegistry, type DefinitionRegistry } from './definition-registry.ts'
import { driveSaga, type SagaDriver } from './drive-saga.ts'
import { followSaga } from './follow-saga.ts'
import { createInstanceLease, formatBellPrefix } from './instance-lease.ts'
import { openKeyQueue } from './key-queue.ts'
import { noteSaga } from './note-saga.ts'
import { createPlaces, type Places } from './places.ts'
import { createSagaFeed, type SagaFeed } from './saga-feed.ts'
import type { SagaNode } from './saga-node.ts'
import { createSagaRun, type RunLine, type SagaRun } from './saga-run.ts'
import type { SagaLoad, SagasOptions } from './sagas.ts'

/** How many sagas of one definition a process works on at a time, where nobody says: each holds its events in memory. */
export const defaultConcurrency = 1_000

/** How many may wait for a place: a minute's work of the default concurrency at its fastest. */
export const defaultMaxBacklog = 10_000

/** How often a saga is looked at that another one waits for and another process drives. */
const queueLookMs = 500

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
}

/** What one process knows of its agent's sagas: those it drives, and the way to the others. */
export interface SagaDesk {
  readonly registry: DefinitionRegistry
  readonly driven: ReadonlyMap<string, SagaDriver>
  /** Sagas that are known to be over for good. */
  readonly over: Pick<Set<string>, 'add' | 'has'>
  ids(): Promise<readonly string[]>
  open(id: string): SagaJournal
  /** Tells whether a saga is over, by its last entry alone. */
  isKnownOver(id: string): Promise<boolean>
  isBusy(id: string): boolean
  isClosed(): boolean
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
export interface DeskOptions extends SagasOptions {
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
  const driven = new Map<string, SagaDriver>()
  const over = new Set<string>()
  const followers = new Set<(error: Error) => void>()
  const followed = new Map<string, SagaFeed>()
  const opening = new Map<string, Promise<unknown>>()
  const { journal: journals, keyValue } = node.store
  let closed = false
  let used = false

  const lease = createInstanceLease({
    node,
    leaseMs: options.leaseMs,
    inUse() {
      const wasUsed = used || driven.size > 0
      used = false
      return wasUsed
    },
    onBell(ids) {
      for (const id of ids) {
        const driver = driven.get(id)
        if (driver) driver.look()
        else options.onStirred(id)
      }
    },
  })

  const placesOf = (name: string, definition?: SagaDefinition): Places => {
    const known = places.get(name)
    if (known) return known
    const created = createPlaces(definition?.concurrency ?? options.concurrency ?? defaultConcurrency)
    places.set(name, created)
    return created
  }

  const open = (id: string): SagaJournal => openSagaJournal(journals, formatSagaStream(node.name, id), node.clock)

  const isKnownOver = async (id: string): Promise<boolean> => {
    if (over.has(id)) return true
    if (!(await peekIsOver(journals, formatSagaStream(node.name, id)))) return false
    if (over.size < maxOver) over.add(id)
    return true
  }

  const untilOver = async (id: string): Promise<void> => {
    while (!closed && !(await isKnownOver(id))) {
      const driver = driven.get(id)
      await (driver && !isEnded(driver.feed.state)
        ? driver.done
        : new Promise<void>((resolve) => node.clock.setTimer(resolve, queueLookMs)))
    }
  }

  /** Lets a saga with a key begin when the one before it is over. */
  const queue = async (driver: SagaDriver, id: string, key: string, isNew: boolean): Promise<void> => {
    const before = await openKeyQueue(journals, node.name, key).enter(id, isNew)
    if (before === undefined || (await isKnownOver(before))) return
    await driver.note((state) =>
      state.behind === before || isEnded(state) ? [] : [{ type: 'queued', behind: before }],
    )
    await untilOver(before)
  }

  const line = (id: string, definition: SagaDefinition | undefined): RunLine => ({
    definition,
    note: (propose) => note(id, propose),
    stopCalls: async () => (await driven.get(id)?.stopCalls()) ?? {},
  })

  const note = async (id: string, propose: Proposal): Promise<Verdict> => {
    const driver = driven.get(id)
    if (driver && !driver.feed.stopped) return driver.note(propose)
    const { verdict, instance } = await noteSaga(() => open(id), id, propose)
    if (instance === node.instance) options.onStirred(id)
    else if (instance !== undefined)
      await keyValue.put(`${formatBellPrefix(node.name, instance)}${id}`, new Uint8Array())
    return verdict
  }

  const drive = async (request: DriveRequest): Promise<SagaRun> => {
    const { id, journal, definition, past, state, unsaved, key } = request
    const gate = Promise.withResolvers<undefined>()
    used = true
    await lease.hold()
    const driver = await driveSaga({
      node,
      journal,
      past,
      unsaved,
      place: placesOf(definition?.name ?? '', definition).claim(),
      mailbox: options.mailbox ?? false,
      ...(state && { state }),
      ...(definition && { definition }),
      ...(key !== undefined && { gate: gate.promise }),
    })
    driven.set(id, driver)
    void driver.done.then(() => {
      if (driven.get(id) === driver) driven.delete(id)
      if (isOver(driver.feed.state) && over.size < maxOver) over.add(id)
      // A store that failed may come back: this instance tries again, as any other of the name could.
      if (driver.feed.stopped && !closed) options.onLetGo()
    })
    if (key !== undefined)
      void queue(driver, id, key, past.length === 0)
        .catch((error: unknown) => driver.stop(error instanceof Error ? error : new Error('the queue failed')))
        .then(() => gate.resolve(undefined))
    if (closed) await driver.stop(closedError(id))
    return createSagaRun(driver.feed, line(id, definition))
  }

  return {
    registry,
    driven,
    over,
    open,
    note,
    drive,
    isKnownOver,
    async ids() {
      const prefix = formatSagaPrefix(node.name)
      return (await journals.streams(prefix)).map((stream) => stream.slice(prefix.length))
    },
    isBusy: (id) => driven.has(id) || opening.has(id),
    isClosed: () => closed,
    serially(id, work) {
      const before = opening.get(id)
      const current = before ? before.then(work, work) : work()
      opening.set(id, current)
      const forget = (): void => {
        if (opening.get(id) === current) opening.delete(id)
      }
      current.then(forget, forget)
      return current
    },
    attach: (id, feed) => createSagaRun(feed, line(id, registry.find(feed.state.started.definition))),
    watch(id, journal, past, state) {
      const known = followed.get(id)
      if (known && !known.stopped) return this.attach(id, known)
      const feed = createSagaFeed(past, state)
      if (!isEnded(feed.state)) {
        followed.set(id, feed)
        const stop = followSaga(feed, journal, node.clock, () => {
          followers.delete(stop)
          if (followed.get(id) === feed) followed.delete(id)
        })
        followers.add(stop)
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
      await Promise.all([...driven.values()].map((driver) => driver.drain()))
    },
    async close() {
      closed = true
      for (const stop of followers) stop(closedError('followed'))
      followers.clear()
      await Promise.all([...driven].map(([id, driver]) => driver.stop(closedError(id))))
      await lease.release()
    },
  }
}

function closedError(id: string): MeshError {
  return new MeshError('saga.closed', `this process does not drive the saga "${id}" any more: resume it with another`)
}
