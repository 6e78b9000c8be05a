import type { Clock, Hash, KeyValue, Random } from '@parley/ports'
import type { Anchors, OrderBook } from '@parley/identity'
import {
  digestJson,
  digestSubject,
  isHeard,
  ownerOfParty,
  weighAnswers,
  type ApprovalState,
  type ApprovalSubject,
} from '@parley/policy'
import { allowed, formatId, refuse, type Refusal, type Verdict } from '@parley/protocol'
import pLimit, { type LimitFunction } from 'p-limit'
import type { EventLog } from '../node/event-log.ts'
import { concerns, keepAnswer, parseParty, peekAnswer, readAnswer, type ReadAnswer } from './approval-answer.ts'
import type { ApprovalRequest, AskedApproval, KeptAnswer } from './approval-request.ts'
import { openApprovalStore, refuseChanging } from './approval-store.ts'

/** What a hop that needs an approval is described with. */
export interface ApprovalAsk {
  readonly subject: ApprovalSubject
  readonly arguments: unknown
  readonly reason: string
}

/** Whether a hop may pass, or the request that it waits for. */
export type ApprovalVerdict =
  | { readonly kind: 'allow'; readonly request: ApprovalRequest }
  | { readonly kind: 'deny'; readonly refusal: Refusal; readonly request?: ApprovalRequest }

/**
 * Keeps what waits for people, durably.
 *
 * I1 A request is named by its own id and bound to the digest of exactly what would be done; the digest is derived again
 *    from the hop that would act, so nothing else passes by it.
 * I2 It is good for one hop: it is marked as used, durably and by compare-and-swap, once the hop is admitted and before
 *    anything is done. A process that ends in between leaves it used and nothing done.
 * I3 An answer counts only with a declaration of a person, verified when it comes and again when it is acted on: one whose
 *    signer was revoked meanwhile counts for nothing, nor does one that is older than a quarantine of its signer, of who asked
 *    or of who would act.
 * I4 Nobody approves of their own request; what expired is denied.
 * I5 Of one agent, and of one owner, only so many requests wait at a time; and of what is over only so much is kept.
 * I6 An amendment ends its request, and grants, as far as its signer has a say, one request that differs in nothing but the
 *    arguments: those that it proposes.
 */
export interface ApprovalDesk {
  /** Lets a hop pass whose request is granted, with what `tokens` add; else asks, or says that it still waits. Uses nothing. */
  settle(ask: ApprovalAsk, tokens: readonly string[]): Promise<ApprovalVerdict>
  /** Uses a request for the hop that was admitted by it, if it is granted still. `policy.approval-used` if another was faster. */
  use(asked: AskedApproval): Promise<Verdict>
  /** Takes back that a request was used, where it is proven that nothing was done. */
  giveBack(asked: AskedApproval): Promise<void>
  /**
   * Takes the answer of a person in. Codes: those of `readAnswer`, `policy.approval-used`, and `policy.approval-invalid` for
   * what no request waits for, or who has no say in it.
   */
  answer(token: string): Promise<Verdict>
  /** Lists what is kept, oldest first. */
  list(): Promise<readonly ApprovalRequest[]>
}

/** What a desk is made of. */
export interface ApprovalDeskParts {
  readonly keyValue: KeyValue
  readonly clock: Clock
  readonly random: Random
  readonly hash: Hash
  readonly anchors: Anchors
  readonly orders: OrderBook
  readonly note: EventLog
}

/** Requests that wait: of one agent; and of its owner, who can have any number of agents. */
const maxWaitingOfAgent = 64
const maxWaitingOfOwner = 256
const recountMs = 1_000
const maxAnswers = 32
/** Longer arguments nobody reads, and a store should not keep. Characters of JSON. */
const maxArguments = 32_768

/** Opens the desk of one node. */
export function createApprovalDesk(parts: ApprovalDeskParts): ApprovalDesk {
  const { clock, random, hash, note, orders } = parts
  const store = openApprovalStore(parts.keyValue)
  /** Counting reads all that is kept, so whoever has no room is not counted at each call. */
  const crowdedUntilMs = new Map<string, number>()
  /** There are no more owners than anchors. */
  const turnsOf = new Map<string, LimitFunction>()

  const makeRequest = (asked: ApprovalAsk, digest: string, id: string, expiresAtMs: number): ApprovalRequest => ({
    id,
    digest,
    ...asked,
    askedAtMs: clock.now(),
    expiresAtMs,
    answers: [],
  })
  const hasRoom = async (requester: string, nowMs: number): Promise<boolean> => {
    const owner = ownerOfParty(requester)
    if ([owner, requester].some((who) => (crowdedUntilMs.get(who) ?? 0) > nowMs)) return false
    const { ofAgent, ofOwner } = await store.countWaiting(requester, nowMs)
    if (ofAgent < maxWaitingOfAgent && ofOwner < maxWaitingOfOwner) return true
    crowdedUntilMs.set(ofOwner < maxWaitingOfOwner ? requester : owner, nowMs + recountMs)
    return false
  }
  /** Of one owner one request is counted and put at a time, or all that come at once would find room. */
  const inTurn = <Result>(requester: string, work: () => Promise<Result>): Promise<Result> => {
    const owner = ownerOfParty(requester)
    const turns = turnsOf.get(owner) ?? pLimit(1)
    turnsOf.set(owner, turns)
    return turns(work)
  }
  const ask = async (asked: ApprovalAsk, digest: string): Promise<ApprovalVerdict> => {
    const nowMs = clock.now()
    const { subject } = asked
    if ((JSON.stringify(asked.arguments) ?? '').length > maxArguments)
      return {
        kind: 'deny',
        refusal: refuse('policy.denied', 'people are asked, and the arguments are too long to read'),
      }
    if (!(await hasRoom(subject.requester, nowMs))) {
      const reason = 'too many requests of this agent, or of its owner, wait already'
      return { kind: 'deny', refusal: refuse('policy.rate-limited', reason, { retryAfterMs: 60_000 }) }
    }
    const expiresAtMs = nowMs + Math.min(...subject.demands.map(({ forMs }) => forMs))
    const request = makeRequest(asked, digest, formatId(random.bytes(16)), expiresAtMs)
    const put = await store.update(digest, (found) => (found && isOpen(found, nowMs) ? 'as-it-is' : request))
    // Another instance asked for the same in between, and shares the store.
    if (put === 'as-it-is') return (await decideOpen(digest)) ?? { kind: 'deny', refusal: refuseChanging() }
    if ('kind' in put) return { kind: 'deny', refusal: put }
    note({ kind: 'approval', event: 'asked', request: request.id, digest, capability: subject.action })
    return { kind: 'deny', refusal: waitFor(request), request }
  }
  /** Whether the word of a person still counts for a request: re-derived from what was signed, and from the orders of now. */
  const holds = ({ id, digest, subject }: ApprovalRequest, kept: KeptAnswer): boolean => {
    const again = readAnswer(parts, kept.token)
    if ('kind' in again) return false
    const { statement, credential, signedAtMs } = again
    const isSaid =
      kept.amendedFrom === undefined
        ? statement.word === 'granted' && statement.request === id && statement.digest === digest
        : statement.word === 'amended' &&
          statement.digest === digestSubject({ ...subject, argumentsHash: kept.amendedFrom }, hash) &&
          digestJson(statement.arguments, hash) === subject.argumentsHash
    const concerned = [parseParty(subject.requester), parseParty(subject.callee), credential]
    return isSaid && concerned.every((agent) => agent !== undefined && !orders.isQuarantinedSince(agent, signedAtMs))
  }
  const weigh = (request: ApprovalRequest): ApprovalState => {
    // A denial stays one though its signer left; a grant has to hold now.
    const answers = request.answers.flatMap((kept) => {
      const word = kept.amendedFrom === undefined ? kept.word : 'granted'
      return word !== 'granted' || holds(request, kept) ? [{ ...kept, word }] : []
    })
    return weighAnswers({ ...request.subject, expiresAtMs: request.expiresAtMs }, answers, clock.now())
  }
  const decide = (request: ApprovalRequest): ApprovalVerdict => {
    const state = weigh(request)
    if (state === 'granted') return { kind: 'allow', request }
    const denied = (): Refusal => refuse('policy.approval-denied', 'a person said no, or proposes something else')
    return { kind: 'deny', refusal: state === 'denied' ? denied() : waitFor(request), request }
  }
  /** Decides by the request that waits under a digest, if one does. */
  const decideOpen = async (digest: string): Promise<ApprovalVerdict | undefined> => {
    const found = await store.load(digest)
    return found && isOpen(found, clock.now()) ? decide(found) : undefined
  }
  /** Adds a word to the request that waits under a digest. */
  const add = async (digest: string, id: string, kept: KeptAnswer): Promise<Verdict> => {
    const put = await store.update(digest, (found) => {
      const refused = refuseAnswer(found, id, clock.now())
      if (refused) return refused
      const request = found as ApprovalRequest
      if (request.answers.some(({ token }) => token === kept.token)) return 'as-it-is'
      if (!isHeard(request.subject, kept))
        return refuse('policy.approval-invalid', `${kept.name} has no say in this request`)
      if (request.answers.length >= maxAnswers) return refuse('policy.approval-invalid', 'it has too many answers')
      return { ...request, answers: [...request.answers, { ...kept, atMs: clock.now() }] }
    })
    if (put === 'as-it-is') return allowed
    if ('kind' in put) return put
    note({ kind: 'approval', event: kept.word, request: id, digest, by: kept.name })
    return allowed
  }
  const takeIn = async (token: string): Promise<Verdict> => {
    const answer = readAnswer(parts, token)
    if ('kind' in answer) return answer
    const { request: id, digest, word } = answer.statement
    const found = await store.find(digest, id)
    if (word === 'amended' && found) return amend(found, answer, token)
    return (await store.load(digest))?.id === id ? add(digest, id, keepAnswer(answer, token)) : refuseUnknown(found)
  }
  /** Ends a request by an amendment, and lets its word count for the one that it proposes. */
  const amend = async (request: ApprovalRequest, answer: ReadAnswer, token: string): Promise<Verdict> => {
    const { id, digest, subject, reason, expiresAtMs } = request
    const proposed = answer.statement.arguments
    const amended = { ...subject, argumentsHash: digestJson(proposed, hash) }
    const next = digestSubject(amended, hash)
    const before = request.answers.find((known) => known.token === token)
    const waiting = await store.load(next)
    const becomes =
      before?.becomes ?? (waiting && isOpen(waiting, clock.now()) ? waiting.id : formatId(random.bytes(16)))
    if (next === digest) return refuse('policy.approval-invalid', 'the amendment proposes what was asked for')
    const kept = keepAnswer(answer, token)
    if (!before) {
      const ended = await add(digest, id, { ...kept, arguments: proposed, becomes })
      if (ended.kind === 'deny') return ended
    }
    const past = before && (await store.find(next, becomes))
    if (past?.usedAtMs !== undefined) return refuseUnknown(past)
    // The same answer again, after a crash in between, makes up for what is missing.
    const put = await store.update(next, (found) => {
      if (found && (found.id === becomes || isOpen(found, clock.now()))) return 'as-it-is'
      if (found && before) return refuseUnknown(undefined)
      return makeRequest({ subject: amended, arguments: proposed, reason }, next, becomes, expiresAtMs)
    })
    if (put !== 'as-it-is' && 'kind' in put) return put
    return add(next, becomes, { ...kept, amendedFrom: subject.argumentsHash })
  }
  return {
    async settle(asked, tokens) {
      const { subject } = asked
      const digest = digestSubject(subject, hash)
      for (const token of tokens) {
        // The other side of the hop may have asked as well: what is about its request is not for this one.
        const said = peekAnswer(token)
        if (!said || !concerns(said, { digest, subject }, hash)) continue
        const taken = await takeIn(token)
        if (taken.kind === 'deny') return { kind: 'deny', refusal: taken }
      }
      const decideOrAsk = async (): Promise<ApprovalVerdict> => (await decideOpen(digest)) ?? ask(asked, digest)
      return (await decideOpen(digest)) ?? inTurn(subject.requester, decideOrAsk)
    },
    async use({ id, digest }) {
      const put = await store.update(digest, (found) => {
        const refused = refuseAnswer(found, id, clock.now())
        if (refused) return refused
        const verdict = decide(found as ApprovalRequest)
        return verdict.kind === 'deny' ? verdict.refusal : { ...verdict.request, usedAtMs: clock.now() }
      })
      if (put !== 'as-it-is' && 'kind' in put) return put
      note({ kind: 'approval', event: 'used', request: id, digest })
      return allowed
    },
    async giveBack({ id, digest }) {
      const put = await store.update(digest, (found) => {
        if (found?.id !== id || found.usedAtMs === undefined) return 'as-it-is'
        const { usedAtMs: _used, ...request } = found
        return request
      })
      if (put !== 'as-it-is' && !('kind' in put)) note({ kind: 'approval', event: 'given-back', request: id, digest })
    },
    answer: takeIn,
    list: store.list,
  }
}

function isOpen({ usedAtMs, expiresAtMs }: ApprovalRequest, nowMs: number): boolean {
  return usedAtMs === undefined && nowMs < expiresAtMs
}

function refuseAnswer(found: ApprovalRequest | undefined, id: string, nowMs: number): Refusal | undefined {
  if (found?.id !== id) return refuseUnknown(undefined)
  return isOpen(found, nowMs) ? undefined : refuseUnknown(found)
}

function refuseUnknown(past: ApprovalRequest | undefined): Refusal {
  if (past?.usedAtMs !== undefined) return refuse('policy.approval-used', `the request ${past.id} was used`)
  const what = past ? 'the request has expired' : 'no request of this id and digest waits here'
  return refuse('policy.approval-invalid', what)
}

function waitFor({ id, digest, reason }: ApprovalRequest): Refusal {
  return refuse('policy.approval-required', `${reason}; request ${id}, digest ${digest}`)
}
