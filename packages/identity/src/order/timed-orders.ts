import type { AgentId } from '@parley/protocol'
import type { VerifiedOrder } from './order.ts'

/** The score that an owner gives to one of its own names for a time. */
export interface Pin {
  readonly agent: AgentId
  /** 0 to 1000. */
  readonly score: number
  readonly reason: string
  /** In force before this wall time, in milliseconds. */
  readonly untilMs: number
  /** The order that says so. */
  readonly sequence: number
}

/**
 * Quarantines and pins: orders that end.
 *
 * I1 Of the orders about one subject that are held, the last one counts: so an owner ends or extends what it said before.
 * I2 One that is not held yet may deny and nothing else: of quarantines the longer one, of pins none.
 */
export interface TimedOrders {
  /** Takes an order in; `isHeld` if all before it are known. */
  enforce(order: VerifiedOrder, isHeld: boolean): void
  /** Whether nothing of this kind was ever ordered. */
  isEmpty(): boolean
  /** Returns the quarantine of a subject that is in force now. */
  quarantineOf(owner: string, subject: string, nowMs: number): VerifiedOrder | undefined
  /** Tells whether a quarantine of a subject was ordered at this time or later, whether or not it has ended since. */
  isQuarantinedSince(owner: string, subject: string, sinceMs: number): boolean
  /** Returns the pin of a name that is in force now. */
  pinOf(agent: AgentId, nowMs: number): Pin | undefined
  /** Lists the pins that are in force now. */
  pins(nowMs: number): readonly Pin[]
}

interface Quarantine {
  readonly held?: VerifiedOrder
  /** The one that ends last of those that were not held when they came. */
  readonly loose?: VerifiedOrder
}

/** Creates the place of an owner's quarantines and pins. */
export function createTimedOrders(): TimedOrders {
  const quarantines = new Map<string, Quarantine>()
  const pins = new Map<string, VerifiedOrder>()
  const toPin = (order: VerifiedOrder | undefined, nowMs: number): Pin | undefined => {
    if (!order || order.score === undefined || order.reason === undefined || !isInForce(order, nowMs)) return undefined
    const { owner, subject, score, reason, untilMs = 0, sequence } = order
    return { agent: { owner, name: subject as AgentId['name'] }, score, reason, untilMs, sequence }
  }
  return {
    isEmpty: () => quarantines.size + pins.size === 0,
    enforce(order, isHeld) {
      const key = keyOf(order.owner, order.subject)
      if (order.kind === 'pin') {
        if (isHeld) pins.set(key, order)
        return
      }
      const known = quarantines.get(key) ?? {}
      if (isHeld) quarantines.set(key, { ...known, held: order })
      else if ((order.untilMs ?? 0) > (known.loose?.untilMs ?? 0)) quarantines.set(key, { ...known, loose: order })
    },
    quarantineOf(owner, subject, nowMs) {
      if (quarantines.size === 0) return undefined
      const { held, loose } = quarantines.get(keyOf(owner, subject)) ?? {}
      if (held && isInForce(held, nowMs)) return held
      // Held orders up to a later one say what became of it.
      return loose && loose.sequence > (held?.sequence ?? 0) && isInForce(loose, nowMs) ? loose : undefined
    },
    isQuarantinedSince(owner, subject, sinceMs) {
      const { held, loose } = quarantines.get(keyOf(owner, subject)) ?? {}
      return [held, loose].some((order) => order !== undefined && order.issuedAtMs >= sinceMs)
    },
    pinOf: ({ owner, name }, nowMs) => toPin(pins.get(keyOf(owner, name)), nowMs),
    pins: (nowMs) => [...pins.values()].flatMap((order) => toPin(order, nowMs) ?? []),
  }
}

function isInForce({ untilMs }: VerifiedOrder, nowMs: number): boolean {
  return untilMs !== undefined && nowMs < untilMs
}

/** Neither part can hold a space. */
function keyOf(owner: string, subject: string): string {
  return `${owner} ${subject}`
}
