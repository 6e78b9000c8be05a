import type { CancelTimer } from '@parley/ports'
import { allowed, MeshError, refuse, type InstanceDid, type Verdict } from '@parley/protocol'
import { peekClaims, type OrderNews } from '@parley/identity'
import { createAheadPeers, type Sequences } from './ahead-peers.ts'
import { createCatchUp } from './catch-up.ts'
import type { NodeParts } from '../node/node-parts.ts'
import {
  decodeOrderQuestion,
  decodeOrderTelling,
  encodeOrderQuestion,
  encodeOrderTelling,
  maxOrdersTold,
  orderTopics,
} from './order-message.ts'
import type { OrderFeed } from './order-feed.ts'
import type { OrderStore } from './order-store.ts'
import { putInForce } from './put-in-force.ts'
import { createSenderBuckets } from '../session/sender-buckets.ts'

/** How often the own issuer is asked, in milliseconds: an order is in force within a second. */
const askIssuerEveryMs = 500
/** Events with orders, and questions, that one peer is heard with a second. */
const perSecond = 20
/** Forged tokens in one telling after which the rest of it is not looked at: who carries orders verified them. */
const maxForged = 4
/** Tokens that were looked at and need no second look. */
const maxLookedAt = 4_096

/** Creates the feed of a node. `emit` publishes an event in the node's name. */
export function createOrderFeed(options: {
  readonly parts: NodeParts
  readonly store: OrderStore
  readonly orderNews: ((afterSequence: number) => Promise<OrderNews>) | undefined
  readonly emit: (topic: string, body: Uint8Array) => Promise<void>
}): OrderFeed {
  const { parts, store, emit } = options
  const { anchors, clock, did, logger, orders: book, random } = parts
  const owners = anchors.list.map(({ owner }) => owner)
  const catchUp = createCatchUp(clock)
  const tellings = new Map<string, ReturnType<typeof createSenderBuckets>>()
  const lookedAt = new Set<string>()
  let cancelTimer: CancelTimer | undefined
  let stopped = false

  const isHeard = (from: InstanceDid): boolean => {
    const bucket = tellings.get(from) ?? createSenderBuckets(clock, perSecond)
    tellings.delete(from)
    tellings.set(from, bucket)
    const [oldest] = tellings.keys()
    if (tellings.size > 1_024 && oldest !== undefined) tellings.delete(oldest)
    return bucket.take(from) === 0
  }
  const isNew = (token: string): boolean => {
    if (lookedAt.has(token)) return false
    if (lookedAt.size >= maxLookedAt) lookedAt.clear()
    lookedAt.add(token)
    return true
  }
  const sequenceOf = (owner: string): number => book.head(owner)?.sequence ?? 0
  const sequences = (): Record<string, number> => Object.fromEntries(owners.map((owner) => [owner, sequenceOf(owner)]))
  const isBehind = (): boolean => owners.some((owner) => book.seen(owner) > sequenceOf(owner))
  const keepSafely = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      // It is in force; only a restart would have to hear of it again.
      logger.error('identity.order-not-kept', { error: error instanceof Error ? error.message : 'not an error' })
    })

  const ask = (of: readonly string[]): void => {
    if (of.length > 0) void emit(orderTopics.wanted, encodeOrderQuestion({ of, after: sequences() }))
  }
  const isMore = (told: Sequences): boolean => owners.some((owner) => (told[owner] ?? 0) > sequenceOf(owner))
  const ahead = createAheadPeers(clock, isMore, (peer) => {
    ask([peer])
  })
  const askTwo = (): void => {
    const peers = parts.directory.entries().map(({ credential }) => credential.instance)
    const first = Math.floor(random.float() * peers.length)
    ask([...peers.slice(first), ...peers.slice(0, first)].filter((peer) => peer !== did).slice(0, 2))
  }

  /** In force when it returns; `kept` resolves when it is durable, too. */
  const take = (token: string): { readonly verdict: Verdict; readonly kept: Promise<void> } => {
    const before = sequences()
    const verdict = book.accept(token, clock.now())
    const owner = owners.find((one) => sequenceOf(one) !== before[one])
    if (verdict.kind === 'deny') {
      if (verdict.code === 'identity.jwt-expired') lookedAt.delete(token)
      if (verdict.code !== 'identity.order-gap' && verdict.code !== 'identity.order-forked')
        return { verdict, kept: Promise.resolve() }
      // It cannot be held yet, but it can only deny, so it does.
      lookedAt.delete(token)
      logger.warn(verdict.code, { reason: verdict.reason })
      putInForce(parts)
      if (isBehind()) askTwo()
      return { verdict, kept: Promise.resolve() }
    }
    putInForce(parts)
    const order = owner === undefined ? undefined : book.head(owner)
    if (!order) return { verdict, kept: Promise.resolve() }
    const { sequence, kind, subject, untilMs, score, reason } = order
    const terms = { ...(untilMs === undefined ? {} : { untilMs }), ...(score === undefined ? {} : { score }) }
    const why = reason === undefined ? {} : { reason }
    parts.note({ kind: 'order', event: kind, owner: order.owner, sequence, subject, ...terms, ...why })
    return { verdict, kept: keepSafely(store.keep(order.owner, sequence, token)) }
  }
  const takeHead = (token: string): Verdict => {
    const before = owners.map((owner) => book.headToken(owner))
    const verdict = book.acceptHead(token, clock.now())
    const owner = owners.find((one, at) => book.headToken(one) !== before[at])
    if (owner !== undefined) void keepSafely(store.keepHead(owner, token))
    return verdict
  }
  const tell = async (orders: readonly string[], heads: readonly string[]): Promise<void> => {
    for (let at = 0; at === 0 || at < orders.length; at += maxOrdersTold)
      await emit(orderTopics.told, encodeOrderTelling({ orders: orders.slice(at, at + maxOrdersTold), heads }))
  }
  const askIssuer = async (): Promise<void> => {
    if (!options.orderNews) return
    const { owner } = parts.ownCredential()
    const { orders, head } = await options.orderNews(sequenceOf(owner))
    const fresh = orders.filter((order) => take(order).verdict.kind === 'allow')
    const isFresh = isNew(head) && takeHead(head).kind === 'allow'
    if (!stopped && (fresh.length > 0 || isFresh)) await tell(fresh, [head])
  }
  const beat = (): void => {
    if (stopped) return
    cancelTimer = clock.setTimer(() => {
      askIssuer()
        .catch((error: unknown) => {
          logger.warn('identity.no-order-news', { error: error instanceof Error ? error.message : 'not an error' })
        })
        .finally(beat)
      if (isBehind()) askTwo()
    }, askIssuerEveryMs)
  }

  const answer = (body: Uint8Array): Verdict => {
    const question = decodeOrderQuestion(body)
    if (!question) return refuse('iatp.header-invalid', 'the question for orders is malformed')
    if (!question.of.includes(did)) return allowed
    const asked = owners.filter((owner) => Object.hasOwn(question.after, owner))
    void tell(
      asked.flatMap((owner) => book.tokens(owner, question.after[owner] ?? 0)),
      asked.flatMap((owner) => book.headToken(owner) ?? []),
    )
    return allowed
  }
  const learn = (body: Uint8Array, from: InstanceDid): void => {
    const telling = decodeOrderTelling(body)
    if (telling) {
      // For each owner, as a token claims: one whose new key is not known here hides no order of another.
      const forged = new Map<unknown, number>()
      const look = (token: string, read: (token: string) => Verdict): void => {
        const { iss } = peekClaims(token)
        const failed = forged.get(iss) ?? 0
        if (failed >= maxForged || !isNew(token)) return
        const verdict = read(token)
        if (verdict.kind !== 'deny' || verdict.code !== 'identity.signature-invalid') return
        // Its owner may sign with a key that is not known here yet.
        lookedAt.delete(token)
        forged.set(iss, failed + 1)
      }
      for (const order of telling.orders) look(order, (token) => take(token).verdict)
      for (const head of telling.heads) look(head, takeHead)
      if (isBehind()) ask([from])
    }
    for (const peer of ahead.told(from)) catchUp.told(peer)
  }

  return {
    async load(orders) {
      await store.load(owners, book)
      for (const order of orders) {
        const { verdict, kept } = take(order)
        await kept
        if (verdict.kind === 'deny' && verdict.code !== 'identity.order-stale')
          throw new MeshError(verdict.code, `an order of the options does not hold: ${verdict.reason}`)
      }
      putInForce(parts)
    },
    async accept(token) {
      lookedAt.add(token)
      const { verdict, kept } = take(token)
      if (verdict.kind === 'allow') await Promise.all([kept, tell([token], [])])
      return verdict
    },
    catchingUp: catchUp.pending,
    start() {
      catchUp.restart()
      beat()
    },
    returned: catchUp.restart,
    receive(topic, body, from) {
      if (!isHeard(from)) return refuse('iatp.sender-limited', 'the sender tells or asks of orders too often')
      if (topic === orderTopics.wanted) return answer(body)
      learn(body, from)
      return allowed
    },
    heard(from, owner, told) {
      catchUp.heard(from, ahead.heard(from, owner, told))
    },
    sequences: () => Object.fromEntries(Object.entries(sequences()).filter(([, sequence]) => sequence > 0)),
    stop() {
      stopped = true
      cancelTimer?.()
      ahead.stop()
      catchUp.stop()
    },
  }
}
