import type { Hop } from '@parley/mesh'
import type { Risk } from '@parley/protocol'
import type { JournalWatch } from './journal-watch.ts'
import type { Breach, GivenOrder, Wish } from './sim-facts.ts'
import type { StepOrder } from './step-order.ts'

/** An effect that was committed at a participant, by key. */
export interface Effect {
  readonly saga: string
  readonly step: string
  readonly agent: string
  standing: boolean
}

/** What a handler is told about its hop, as far as it is looked at. */
export type SeenHop = Pick<Hop, 'id' | 'capability' | 'caller' | 'saga' | 'delegation'>

/** One run of a handler, before it does anything. */
export interface HandlerRun {
  /** The life in which it runs, and the wall time of that process. */
  readonly life: string
  readonly nowMs: number
  readonly risk: Risk
  readonly hop: SeenHop
}

/** A command that a transaction has taken, or its effect. */
export type Told = { readonly saga: string; readonly key: string; readonly epoch: number } & (
  | { readonly kind: 'seen' }
  | { readonly kind: 'do' | 'undo'; readonly step: string; readonly attempt: number }
)

type ToldEffect = Told & { readonly kind: 'do' | 'undo' }

/**
 * Sees every run and every effect at the participants, and holds them against what it knows by itself: the chains and orders
 * that were given, and the journals on the disk. It asks no node.
 */
export interface Witness {
  readonly breaches: readonly Breach[]
  readonly effects: ReadonlyMap<string, Effect>
  breach(invariant: Breach['invariant'], what: string): void
  /** A life has taken an order in. */
  learned(life: string, order: GivenOrder): void
  ran(run: HandlerRun): void
  committed(agent: string, told: readonly Told[]): void
}

const tooLow: Readonly<Record<Risk, readonly string[]>> = {
  read: ['untrusted'],
  reversible: ['untrusted', 'probationary'],
  irreversible: ['untrusted'],
  administrative: ['untrusted', 'probationary', 'standard', 'trusted', 'verified'],
}

/** Creates a witness of a run that began without effects. */
export function createWitness(world: {
  readonly elapsedMs: () => number
  readonly journals: JournalWatch
  readonly wishes: ReadonlyMap<string, Wish>
  readonly order: (saga: string) => StepOrder
}): Witness {
  const breaches: Breach[] = []
  const effects = new Map<string, Effect>()
  const served = new Set<string>()
  const highest = new Map<string, number>()
  const known = new Map<string, { readonly order: GivenOrder; readonly atMs: number }[]>()
  const breach: Witness['breach'] = (invariant, what) => {
    breaches.push({ invariant, what, atMs: world.elapsedMs() })
  }
  /**
   * What was in force in this life before this moment: a hop that was decided in it is not to blame. Of orders that end, the
   * last one about a subject counts.
   */
  const inForce = ({ life, nowMs }: HandlerRun, subjects: readonly string[]): readonly GivenOrder[] => {
    const orders = (known.get(life) ?? []).filter(({ order }) => subjects.includes(order.subject))
    return orders
      .filter(({ order, atMs }, at) => {
        if (atMs >= world.elapsedMs() || nowMs >= order.untilMs) return false
        const later = orders.slice(at + 1)
        return !later.some((other) => other.order.kind === order.kind && other.order.subject === order.subject)
      })
      .map(({ order }) => order)
  }

  const checkOrders = (run: HandlerRun): void => {
    const { caller, saga } = run.hop
    const isWayBack = saga !== undefined && saga.phase !== 'do'
    for (const order of inForce(run, [caller.name, caller.instance])) {
      if (order.kind === 'revoke') breach(3, `a handler ran for ${caller.instance}, which is revoked`)
      if (order.kind === 'pin' && !isWayBack && caller.score > (order.score ?? 0))
        breach(3, `a handler ran for ${caller.name} at ${caller.score}, which is pinned to ${order.score ?? 0}`)
      if (order.kind === 'quarantine' && !isWayBack)
        breach(3, `a handler ran for ${caller.name}, which is in quarantine`)
    }
    if (!isWayBack && tooLow[run.risk].includes(caller.tier))
      breach(3, `a handler of risk ${run.risk} ran for ${caller.name}, which is ${caller.tier}`)
  }
  const checkChain = ({ hop, nowMs }: HandlerRun): void => {
    const { saga, capability } = hop
    if (!saga || saga.phase !== 'do') return
    const chain = world.wishes.get(saga.id)?.chain
    if (!chain) return
    if (!chain.grants.includes(capability)) breach(3, `${capability} ran under a chain that does not grant it`)
    if (nowMs >= chain.expiresAtMs) breach(3, `${capability} ran under a chain that was expired`)
    if (!hop.delegation) breach(3, `${capability} ran without the chain of its saga`)
  }
  const doEffect = (agent: string, { saga, key, step, attempt }: ToldEffect): void => {
    const before = effects.get(key)
    if (before) breach(2, `${key} was done at ${before.agent} and again at ${agent}`)
    effects.set(key, { saga, step, agent, standing: true })
    if (!world.journals.knows(saga, key, attempt)) breach(1, `${key} was done, and no journal knows that it was to be`)
  }
  const undoEffect = (agent: string, { saga, key, step }: ToldEffect): void => {
    const effect = effects.get(key)
    if (!effect?.standing || effect.agent !== agent) breach(2, `${key} was undone without standing`)
    if (effect) effect.standing = false
    const order = world.order(saga)
    for (const other of effects.values())
      if (other.saga === saga && other.standing && order.follows(other.step, step))
        breach(2, `${step} was undone while ${other.step}, which follows it, stood`)
    const events = world.journals.journal(saga)?.events ?? []
    if (events.some((event) => event.type === 'committed' && order.isPivot(event.step)))
      breach(2, `${step} was undone after the pivot`)
  }
  return {
    breaches,
    effects,
    breach,
    learned(life, order) {
      known.set(life, [...(known.get(life) ?? []), { order, atMs: world.elapsedMs() }])
    },
    ran(run) {
      const once = `${run.life} ${run.hop.caller.instance} ${run.hop.id}`
      if (served.has(once)) breach(2, `the envelope ${run.hop.id} was served twice`)
      served.add(once)
      checkOrders(run)
      checkChain(run)
    },
    committed(agent, told) {
      for (const one of told) {
        const place = `${agent} ${one.saga}`
        const seen = highest.get(place) ?? 0
        if (one.kind !== 'seen' && one.epoch < seen)
          breach(6, `${agent} took "${one.kind} ${one.key}" of epoch ${one.epoch} after epoch ${seen}`)
        highest.set(place, Math.max(seen, one.epoch))
        if (one.kind === 'do') doEffect(agent, one)
        if (one.kind === 'undo') undoEffect(agent, one)
      }
    },
  }
}
