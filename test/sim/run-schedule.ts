import { DatabaseSync } from 'node:sqlite'
import { createLocalIssuer } from '@parley/identity'
import { createSeededRandom } from '@parley/ports'
import { shareSagas, type SagaDefinition, type SagaEvent } from '@parley/saga'
import { createSimDisk, createSimulation, drawFaultRates } from '@parley/testkit'
import { checkEnds } from './check-ends.ts'
import { drawSaga, participants } from './draw-saga.ts'
import { drawStoreFailures } from './draw-store-failures.ts'
import { drawTroubles } from './draw-troubles.ts'
import { createJournalWatch } from './journal-watch.ts'
import { createNodePorts } from './node-ports.ts'
import { liveOrchestrator, type Orchestrator } from './orchestrator-life.ts'
import { liveParticipant, type ParticipantMemory } from './participant-life.ts'
import type { Breach, GivenOrder, Wish } from './sim-facts.ts'
import { readStepOrder } from './step-order.ts'
import type { Trip } from './trip-contract.ts'
import { createWitness } from './witness.ts'

/** What became of one run. */
export interface ScheduleReport {
  readonly seed: number
  readonly breaches: readonly Breach[]
  /** How the sagas ended, by id. */
  readonly ends: Readonly<Record<string, string>>
  readonly virtualMs: number
  timeline(): string
}

/** Beyond the expiry of every saga: whatever can end has ended. */
const patienceMs = 6 * 60_000
/** A client whose start was not answered asks again so often, and an operator looks after what was revoked. */
const lookEveryMs = 5_000
/** Random numbers of their own: what fails in the store changes nothing else that the seed decides. */
const storeSalt = 19

/** Runs one schedule: everything in it is decided by the seed. */
export async function runSchedule(seed: number): Promise<ScheduleReport> {
  const simulation = createSimulation({ seed, rates: drawFaultRates })
  const { clock, random, timeline } = simulation
  const elapsedMs = (): number => clock.monotonic()
  const note = (what: string): void => timeline.note(elapsedMs(), 'world', what)
  const issuer = createLocalIssuer({ alias: 'acme', clock, random })
  const troubles = await drawTroubles(random, issuer, clock)
  const definitions = new Map<string, SagaDefinition<Trip>>(
    [...troubles.wishes.keys()].map((id) => [id, drawSaga(random, id)]),
  )
  const journals = createJournalWatch('saga/acme/desk/', (saga, by, event) => {
    timeline.note(elapsedMs(), by, `writes ${saga} ${describe(event)}`)
  })
  const witness = createWitness({
    elapsedMs,
    journals,
    wishes: troubles.wishes,
    order(saga) {
      const first = journals.journal(saga)?.events[0]
      return readStepOrder(first?.type === 'started' ? first.plan : [])
    },
  })
  const given: GivenOrder[] = []
  const ports = createNodePorts(issuer, given, witness.learned)
  const sagaDisk = createSimDisk({
    isPoint: (stream) => stream.startsWith('saga/'),
    onAppend: journals.append,
    failure: () => (isHealed ? undefined : storeFailure()),
  })
  const storeFailure = drawStoreFailures(createSeededRandom(seed ^ storeSalt))
  let isHealed = false
  let temper = troubles.temper
  const memories = participants.map((name): ParticipantMemory => ({
    name,
    db: new DatabaseSync(':memory:'),
    disk: createSimDisk(),
  }))
  for (const memory of memories)
    simulation.spawn(memory.name, async (process) => {
      await liveParticipant(process, memory, { ports, witness, temper: () => temper })
    })

  const acknowledged = new Set<string>()
  const running = new Map<string, Orchestrator>()
  const startDue = (desk: Orchestrator): void => {
    for (const wish of troubles.wishes.values()) if (wish.dueMs <= elapsedMs()) start(desk, wish)
  }
  const start = (desk: Orchestrator, wish: Wish): void => {
    if (acknowledged.has(wish.id)) return
    desk.start(wish, () => {
      acknowledged.add(wish.id)
    })
  }
  for (const name of troubles.hasRival ? ['desk-1', 'desk-2'] : ['desk-1']) {
    const ownDisk = createSimDisk()
    simulation.spawn(name, async (process) => {
      running.delete(name)
      const store = shareSagas(ownDisk.open(process), sagaDisk.open(process))
      const desk = await liveOrchestrator(process, store, ports, { definitions, leaseMs: troubles.leaseMs })
      running.set(name, desk)
      desk.resume()
      if (name === 'desk-1') startDue(desk)
    })
  }
  const onDesk = (name: string, act: (desk: Orchestrator) => void): void => {
    const desk = running.get(name)
    if (desk && simulation.alive(name)) act(desk)
  }

  for (const wish of troubles.wishes.values())
    simulation.after(wish.dueMs, () => onDesk('desk-1', (desk) => start(desk, wish)))
  for (const { atMs, desk, saga } of troubles.cancels)
    simulation.after(atMs, () => onDesk(desk, (one) => one.cancel(saga)))
  for (const { atMs, desk, forMs } of troubles.sleeps) simulation.after(atMs, () => simulation.pause(desk, forMs))
  for (const draft of troubles.orders)
    simulation.after(draft.atMs, () => {
      const subject = draft.subject === 'desk-1' ? running.get('desk-1')?.instance : draft.subject
      if (subject === undefined) return
      const order: GivenOrder = { ...draft, subject, untilMs: Math.ceil((clock.now() + draft.forMs) / 1_000) * 1_000 }
      note(`the owner orders ${order.kind} ${order.subject}`)
      const { kind, untilMs, score } = order
      const terms =
        kind === 'revoke' ? {} : { untilMs, ...(score !== undefined && { score, reason: 'it was asked for' }) }
      issuer.order(kind, subject, terms).then(
        () => given.push(order),
        (error: unknown) => witness.breach(1, `the order could not be given: ${String(error)}`),
      )
    })

  const isOver = (): boolean => [...troubles.wishes.keys()].every((id) => acknowledged.has(id) && journals.hasEnded(id))
  await simulation.run(isOver, troubles.faultyMs)
  simulation.heal()
  isHealed = true
  temper = { declines: 0, throws: 0, dawdles: 0, dawdleMs: 0 }
  const look = (): void => {
    if (isOver()) return
    for (const [name, { instance }] of running)
      if (given.some(({ kind, subject }) => kind === 'revoke' && subject === instance))
        simulation.alive(name)?.crash('since its operator restarts it')
    onDesk('desk-1', startDue)
    simulation.after(lookEveryMs, look)
  }
  simulation.after(lookEveryMs, look)
  await simulation.run(isOver, patienceMs)
  // What is still on its way may arrive: nothing of it may count any more.
  await simulation.run(() => false, troubles.lateMs)
  const ends = checkEnds({ wishes: troubles.wishes, acknowledged, journals, witness })
  for (const { db } of memories) db.close()
  return { seed, breaches: [...witness.breaches], ends, virtualMs: elapsedMs(), timeline: () => timeline.text() }
}

function describe(event: SagaEvent): string {
  const step = 'step' in event && event.step !== undefined ? ` ${event.step}` : ''
  const code = 'code' in event && event.code !== undefined ? ` (${event.code})` : ''
  const epoch = event.type === 'owned' ? ` by epoch ${event.epoch}` : ''
  const attempt = 'attempt' in event ? ` attempt ${event.attempt}` : ''
  return `${event.type}${step}${attempt}${epoch}${code}`
}
