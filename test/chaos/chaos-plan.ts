import { createSeededRandom, type Random } from '@parley/ports'
import { participants } from '../sim/draw-saga.ts'

/** Where the sagas of a run are kept: in one orchestrator's file, or on JetStream, where two instances compete. */
export type Stage = 'sqlite' | 'jetstream' | 'cluster'

/** What is done to a process from outside, and for how long it is gone. */
export interface PlannedFault {
  readonly atMs: number
  readonly kind: 'kill' | 'pause'
  /** A process, or `broker`: of a cluster the leader of the journal. */
  readonly target: string
  readonly forMs: number
}

/** A place in a process at which it does something to itself. */
export type StrikePoint = 'before-append' | 'after-append' | 'before-commit' | 'after-commit'

/** A process kills or stops itself when it passes a point for the `nth` time. */
export interface Strike {
  readonly point: StrikePoint
  readonly nth: number
  readonly signal: 'SIGKILL' | 'SIGSTOP'
  /** How long it is gone. */
  readonly forMs: number
}

/** Everything about one run that its seed decides. When what happens in real processes is decided by the machine. */
export interface ChaosPlan {
  readonly seed: number
  readonly stage: Stage
  readonly desks: readonly string[]
  readonly leaseMs: number
  readonly sagas: readonly { readonly id: string; readonly dueMs: number }[]
  readonly faults: readonly PlannedFault[]
  /** When an instance of another name tries to take what is not its own. */
  readonly trespasses: readonly number[]
  readonly faultyMs: number
  /** Shares of commands that a participant declines, and that throw. */
  readonly declines: number
  readonly throws: number
}

const stages: readonly Stage[] = ['jetstream', 'sqlite', 'jetstream', 'cluster']

/** Draws the plan of a run. */
export function drawPlan(seed: number): ChaosPlan {
  const random = createSeededRandom(seed)
  const within = (least: number, most: number): number => Math.round(least + random.float() * (most - least))
  const stage = stages[seed % stages.length] ?? 'jetstream'
  const desks = stage === 'sqlite' ? ['desk-1'] : ['desk-1', 'desk-2']
  const leaseMs = within(500, 900)
  const faultyMs = within(3_000, 4_500)
  const gone = (target: string): number => (target.startsWith('desk') ? within(leaseMs, 3 * leaseMs) : within(200, 900))
  const targets = [...desks, ...desks, ...participants, 'broker']
  const faults = Array.from({ length: within(4, 7) }, (): PlannedFault => {
    const target = targets[Math.floor(random.float() * targets.length)] ?? 'desk-1'
    const kind = random.float() < 0.5 ? 'kill' : 'pause'
    return { atMs: within(200, faultyMs - 500), kind, target, forMs: gone(target) }
  })
  const leaderKill: PlannedFault = { atMs: within(500, 1_500), kind: 'kill', target: 'broker', forMs: 1_000 }
  return {
    seed,
    stage,
    desks,
    leaseMs,
    sagas: Array.from({ length: within(16, 28) }, (_, at) => ({
      id: `trip-${at + 1}`,
      dueMs: within(0, faultyMs - 1_000),
    })),
    faults: [...faults, ...(stage === 'cluster' ? [leaderKill] : [])].toSorted((one, other) => one.atMs - other.atMs),
    trespasses: [within(300, 1_500), within(1_500, faultyMs)],
    faultyMs,
    declines: random.float() < 0.7 ? random.float() * 0.15 : 0,
    throws: random.float() < 0.5 ? random.float() * 0.2 : 0,
  }
}

/** Draws what the `life`th life of a process does to itself; undefined for nothing. */
export function drawStrike(plan: ChaosPlan, name: string, life: number): Strike | undefined {
  const random = createSeededRandom(plan.seed * 1_009 + life * 31 + nameNumber(name))
  if (life > 3 || random.float() < 0.3) return undefined
  const isDesk = plan.desks.includes(name)
  const late = random.float() < 0.6
  const points: readonly [StrikePoint, StrikePoint] = isDesk
    ? ['before-append', 'after-append']
    : ['before-commit', 'after-commit']
  return {
    point: points[late ? 1 : 0],
    nth: 1 + Math.floor(random.float() * 25),
    signal: random.float() < 0.5 ? 'SIGKILL' : 'SIGSTOP',
    forMs: Math.round(isDesk ? plan.leaseMs * (1 + 2 * random.float()) : 200 + random.float() * 700),
  }
}

/** The random numbers of one saga's shape: every process draws the same. */
export function sagaRandom(plan: Pick<ChaosPlan, 'seed'>, at: number): Random {
  return createSeededRandom(plan.seed * 7_919 + at)
}

function nameNumber(name: string): number {
  return Buffer.from(name).reduce((sum, byte) => (sum * 7 + byte) % 1_000_003, 0)
}
