import { setTimeout as delay } from 'node:timers/promises'
import { participants } from '../sim/draw-saga.ts'
import type { SafeguardName } from '../sim/safeguards.ts'
import type { Broker } from './broker.ts'
import { startProcess, type ChaosProcess } from './chaos-process.ts'
import { drawStrike, type ChaosPlan, type PlannedFault } from './chaos-plan.ts'
import type { Asked, Told } from './line.ts'

/** Keeps the processes of a run: starts them, does to them what the plan says, and brings them back. */
export interface Supervisor {
  /** Sagas of which somebody said that they ended. */
  readonly ended: ReadonlySet<string>
  readonly counts: Readonly<Record<string, number>>
  readonly violations: readonly string[]
  readonly log: readonly string[]
  count(what: string, by?: number): void
  note(what: string): void
  startAll(): Promise<void>
  /** The life of a process that does its work now, stopped or not; undefined while there is none. */
  lifeOf(name: string): number | undefined
  /** Asks a process; false if it is not there, refuses, or says nothing for so long. */
  ask(name: string, what: Asked['what'], saga: string, patienceMs: number): Promise<boolean>
  /** Waits for its time and does it; resolves when what was done is over. */
  strike(fault: PlannedFault): Promise<void>
  /** From now on nothing dies; whoever is gone comes back. */
  heal(): Promise<void>
  /** Ends every process in order. */
  closeAll(): Promise<void>
  killAll(): Promise<void>
}

/** One place of a run, in which one process lives after another. */
interface Seat {
  readonly name: string
  life: number
  current: ChaosProcess | undefined
  /** The life that stopped itself and has not said yet that it is awake. */
  stopped: ChaosProcess | undefined
  /** The life that is ready. */
  ready: number | undefined
  /** It is to be gone until somebody lets it back. */
  isGone: boolean
}

/** A process that fails at its start, for want of a broker, is started again after this time. */
const againMs = 150
const closeMs = 10_000

/** Creates a supervisor of a run without processes. */
export function createSupervisor(run: {
  readonly plan: ChaosPlan
  readonly folder: string
  readonly broker: Broker
  readonly safeguard?: SafeguardName
}): Supervisor {
  const { plan, folder, broker, safeguard } = run
  const startedAtMs = performance.now()
  const seats = new Map(
    [...plan.desks, ...participants].map((name): [string, Seat] => [
      name,
      { name, life: 0, current: undefined, stopped: undefined, ready: undefined, isGone: false },
    ]),
  )
  const ended = new Set<string>()
  const counts: Record<string, number> = {}
  const violations: string[] = []
  const log: string[] = []
  let isHealed = false
  let isOver = false
  const note = (what: string): void => {
    log.push(`${(performance.now() - startedAtMs).toFixed(0).padStart(6)} ms  ${what}`)
  }
  const count = (what: string, by = 1): void => {
    counts[what] = (counts[what] ?? 0) + by
  }
  const hear = (seat: Seat, told: Told): void => {
    switch (told.tell) {
      case 'ended':
        ended.add(told.saga)
        break
      case 'stale-append':
        note(`the journal refuses ${seat.name}, which no longer owns ${told.saga}`)
        count('stale appends')
        break
      case 'stale-command':
        note(`${seat.name} refuses a command of ${told.saga} under an epoch that is over`)
        count('stale commands')
        break
      case 'strikes': {
        const { point, signal, forMs } = told.strike
        note(`${seat.name} strikes itself with ${signal} ${point} for ${forMs} ms`)
        count(signal === 'SIGKILL' ? 'kills' : 'pauses')
        const struck = seat.current
        if (signal === 'SIGKILL') void keepGone(seat, forMs)
        else if (struck) void wake(seat, struck, forMs)
        break
      }
      case 'wakes':
        note(`${seat.name} wakes`)
        seat.stopped = undefined
        break
      default:
        break
    }
  }
  /** On a busy machine a process may stop later than it said: it is woken until it says that it is awake. */
  const wake = async (seat: Seat, struck: ChaosProcess, forMs: number): Promise<void> => {
    seat.stopped = struck
    for (await delay(forMs); seat.stopped === struck && struck.isRunning(); await delay(againMs))
      struck.signal('SIGCONT')
  }
  const live = async (seat: Seat): Promise<void> => {
    while (!seat.isGone && !isOver) {
      const life = ++seat.life
      const strike = isHealed ? undefined : drawStrike(plan, seat.name, life)
      const process = startProcess(
        {
          kind: plan.desks.includes(seat.name) ? 'desk' : 'participant',
          name: seat.name,
          life,
          plan,
          folder,
          urls: broker.urls,
          ...(strike && { strike }),
          ...(safeguard && { safeguard }),
        },
        (told) => hear(seat, told),
      )
      seat.current = process
      note(`${seat.name} begins its life ${life}`)
      const isReady = await process.ready
      if (isReady) {
        note(`${seat.name} is ready`)
        seat.ready = life
        if (isHealed) void process.ask('calm').catch(() => undefined)
        return void process.ended.then(() => died(seat, process))
      }
      await process.ended
      note(`${seat.name} did not come up: ${process.lastWords()}`)
      if (isHealed && !isOver) count('late failures')
      await delay(againMs)
    }
  }
  /** Whoever died of a signal comes back when its time is over; whoever died by itself has a defect. */
  const died = (seat: Seat, process: ChaosProcess): void => {
    if (isOver) return
    note(`${seat.name} died: ${process.lastWords()}`)
    if (!process.lastWords().startsWith('SIGKILL'))
      violations.push(`${seat.name} died by itself: ${process.lastWords()}`)
    if (!seat.isGone) void keepGone(seat, againMs)
  }
  const keepGone = async (seat: Seat, forMs: number): Promise<void> => {
    if (seat.isGone) return
    seat.isGone = true
    await delay(isHealed ? 0 : forMs)
    await seat.current?.ended
    seat.isGone = false
    await live(seat)
  }
  const strikeBroker = async ({ kind, forMs }: PlannedFault): Promise<void> => {
    note(`the broker is ${kind === 'kill' ? 'killed' : 'stopped'} for ${forMs} ms`)
    count(kind === 'kill' ? 'broker kills' : 'broker pauses')
    const back = kind === 'kill' ? await broker.kill() : await broker.pause()
    await delay(forMs)
    await back()
    note('the broker is back')
  }
  let brokerBusy: Promise<void> = Promise.resolve()

  return {
    ended,
    counts,
    violations,
    log,
    count,
    note,
    async startAll() {
      await Promise.all([...seats.values()].map(live))
    },
    lifeOf(name) {
      const seat = seats.get(name)
      return seat?.current?.isRunning() && seat.ready === seat.life ? seat.life : undefined
    },
    async ask(name, what, saga, patienceMs) {
      const seat = seats.get(name)
      if (!seat?.current?.isRunning()) return false
      const answer = seat.current.ask(what, saga).then(
        () => true,
        (error: unknown) => {
          note(`${name} refuses ${what} ${saga}: ${String(error)}`)
          return false
        },
      )
      return Promise.race([answer, delay(patienceMs, false)])
    },
    async strike(fault) {
      await delay(fault.atMs)
      if (fault.target === 'broker') {
        brokerBusy = brokerBusy.then(() => strikeBroker(fault))
        return brokerBusy
      }
      const seat = seats.get(fault.target)
      const struck = seat?.current
      if (!seat || !struck?.isRunning() || seat.isGone) return
      note(`${fault.target} is ${fault.kind === 'kill' ? 'killed' : 'stopped'} for ${fault.forMs} ms`)
      count(fault.kind === 'kill' ? 'kills' : 'pauses')
      if (fault.kind === 'kill') {
        struck.signal('SIGKILL')
        return keepGone(seat, fault.forMs)
      }
      struck.signal('SIGSTOP')
      await delay(fault.forMs)
      struck.signal('SIGCONT')
    },
    async heal() {
      isHealed = true
      note('heals')
      await brokerBusy
      for (const { current } of seats.values()) {
        current?.signal('SIGCONT')
        if (current?.isRunning()) void current.ask('calm').catch(() => undefined)
      }
    },
    async closeAll() {
      isOver = true
      for (const { name, current } of seats.values()) {
        if (!current?.isRunning()) continue
        current.signal('SIGCONT')
        await Promise.race([
          current.ask('close').catch((error: unknown) => note(`${name}: ${String(error)}`)),
          delay(closeMs),
        ])
      }
    },
    async killAll() {
      isOver = true
      for (const { current } of seats.values()) {
        current?.signal('SIGKILL')
        await current?.ended
      }
    },
  }
}
