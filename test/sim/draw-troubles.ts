import type { LocalIssuer } from '@parley/identity'
import type { Clock, Random } from '@parley/ports'
import type { Temper } from './participant-life.ts'
import type { GivenOrder, Wish } from './sim-facts.ts'
import { trips } from './trip-contract.ts'

/** An order that will be given, and when. */
export interface OrderDraft extends Omit<GivenOrder, 'untilMs'> {
  readonly atMs: number
  readonly forMs: number
}

/** What happens in one run besides the faults: who wants what, and who stands in the way. */
export interface Troubles {
  readonly wishes: ReadonlyMap<string, Wish>
  readonly cancels: readonly { readonly atMs: number; readonly desk: string; readonly saga: string }[]
  /** Whether a second instance of the orchestrator stands by. */
  readonly hasRival: boolean
  /** How long an instance of the orchestrator may be silent, in milliseconds. */
  readonly leaseMs: number
  /** When an orchestrator is stopped for longer than its lease, and wakes up without knowing. */
  readonly sleeps: readonly { readonly atMs: number; readonly desk: string; readonly forMs: number }[]
  readonly orders: readonly OrderDraft[]
  readonly temper: Temper
  /** How long faults last. */
  readonly faultyMs: number
  /** How long to wait after the end for what is still on its way. */
  readonly lateMs: number
}

const everything = [trips.reserve, trips.charge, trips.mail, trips.search].map(({ capability }) => capability)

/** Draws the troubles of a run. */
export async function drawTroubles(random: Random, issuer: LocalIssuer, clock: Clock): Promise<Troubles> {
  const chance = (share: number): boolean => random.float() < share
  const within = (ms: number): number => random.float() * ms
  const list = <Item>(most: number, make: (at: number) => Item): readonly Item[] =>
    Array.from({ length: Math.floor(random.float() * (most + 1)) }, (_, at) => make(at))
  const wishes = new Map<string, Wish>()
  const sagas = 1 + Math.floor(random.float() * 3)
  for (let at = 1; at <= sagas; at++) {
    const id = `trip-${at}`
    const dueMs = 200 + within(3_000)
    wishes.set(id, { id, dueMs, ...(chance(0.35) && { chain: await drawChain(random, issuer, clock) }) })
  }
  const hasRival = chance(0.5)
  const leaseMs = 200 + Math.floor(within(2_000))
  const faultyMs = 5_000 + within(20_000)
  return {
    wishes,
    cancels: chance(0.3)
      ? [{ atMs: 300 + within(6_000), desk: 'desk-1', saga: `trip-${1 + Math.floor(random.float() * sagas)}` }]
      : [],
    hasRival,
    leaseMs,
    sleeps: hasRival
      ? list(3, (at) => ({
          atMs: 300 + within(5_000),
          desk: at % 2 === 0 ? 'desk-1' : 'desk-2',
          forMs: leaseMs * (1 + within(3)),
        }))
      : [],
    orders: chance(0.35) ? list(2, () => drawOrder(random)) : [],
    temper: {
      declines: chance(0.5) ? within(0.3) : 0,
      throws: chance(0.5) ? within(0.8) : 0,
      dawdles: chance(0.5) ? within(0.4) : 0,
      dawdleMs: 500 + within(5_000),
    },
    faultyMs,
    lateMs: 10_000,
  }
}

async function drawChain(random: Random, issuer: LocalIssuer, clock: Clock): Promise<NonNullable<Wish['chain']>> {
  const grants = random.float() < 0.4 ? everything.filter(() => random.float() < 0.6) : everything
  const forMs = random.float() < 0.3 ? 1_000 + Math.floor(random.float() * 9_000) : 3_600_000
  const granted = grants.length > 0 ? grants : everything.slice(0, 1)
  const links = await issuer.delegate({ to: 'acme/desk', capabilities: granted, forMs })
  // Expiry is told in whole seconds, cut.
  return { links, grants: granted, expiresAtMs: Math.ceil((clock.now() + forMs) / 1_000) * 1_000 }
}

function drawOrder(random: Random): OrderDraft {
  const atMs = 300 + random.float() * 6_000
  const forMs = 1_000 + random.float() * 10_000
  const drawn = random.float()
  if (drawn < 0.5) return { kind: 'quarantine', subject: 'acme/desk', atMs, forMs }
  if (drawn < 0.8) return { kind: 'pin', subject: 'acme/desk', score: 100, atMs, forMs }
  return { kind: 'revoke', subject: 'desk-1', atMs, forMs: 3_600_000_000 }
}
