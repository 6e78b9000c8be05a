import type { Clock, Hash, KeyValue, KeyValueEntry, Random } from '@parley/ports'
import { verifyDeclaration, type Anchors, type OrderBook } from '@parley/identity'
import {
  approvalAnswers,
  digestSubject,
  isHeard,
  weighAnswers,
  type ApprovalSubject,
  type ApprovalWord,
} from '@parley/policy'
import { allowed, encodeBase64url, isMeshError, refuse, type Refusal, type Verdict } from '@parley/protocol'
import type { EventLog } from '../node/event-log.ts'
import { approvalPurpose, readRequest, type ApprovalRequest, type KeptAnswer } from './approval-request.ts'

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
 * I2 It is good for one hop: it is marked as used, durably and by compare-and-swap, before the hop goes on.
 * I3 An answer counts only with a declaration of a person, verified when it comes and again when it is acted on: one whose
 *    credential was revoked meanwhile counts for nothing.
 * I4 Nobody approves of their own request; what expired is denied.
 * I5 At most `maxWaiting` requests of one agent wait at a time.
 */
export interface ApprovalDesk {
  /** Lets a hop pass whose request is granted, with what `tokens` add; else asks, or says that it still waits. */
  settle(ask: ApprovalAsk, tokens: readonly string[]): Promise<ApprovalVerdict>
  /** Takes the answer of a person in. */
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
  readonly maxWaiting?: number
}

const prefix = 'approval/'
const defaultMaxWaiting = 64
const maxAnswers = 32
/** How long what was asked is kept after it expired, for people who look back. */
const keepMs = 7 * 86_400_000

interface Kept {
  readonly request: ApprovalRequest
  readonly revision: number
}

/** Opens the desk of one node. */
export function createApprovalDesk(parts: ApprovalDeskParts): ApprovalDesk {
  const { keyValue, clock, random, hash, note, maxWaiting = defaultMaxWaiting } = parts

  const load = async (digest: string): Promise<Kept | undefined> => {
    const entry = await keyValue.get(prefix + digest)
    const request = entry && readRequest(entry.value)
    return entry && request && { request, revision: entry.revision }
  }
  const save = async (request: ApprovalRequest, expectedRevision: number): Promise<number | undefined> => {
    try {
      const bytes = new TextEncoder().encode(JSON.stringify(request))
      return await keyValue.put(prefix + request.digest, bytes, expectedRevision)
    } catch (error) {
      if (isMeshError(error) && error.code === 'store.revision-conflict') return undefined
      throw error
    }
  }
  const ask = async (asked: ApprovalAsk, digest: string, revision: number): Promise<ApprovalVerdict> => {
    const nowMs = clock.now()
    const { subject } = asked
    const waiting = await dropOld(keyValue, subject.requester, nowMs)
    if (waiting >= maxWaiting) {
      const reason = `${String(waiting)} requests of this agent wait already`
      return { kind: 'deny', refusal: refuse('policy.rate-limited', reason, { retryAfterMs: 60_000 }) }
    }
    const request: ApprovalRequest = {
      id: encodeBase64url(random.bytes(16)),
      digest,
      ...asked,
      askedAtMs: nowMs,
      expiresAtMs: nowMs + Math.min(...subject.demands.map(({ forMs }) => forMs)),
      answers: [],
    }
    if ((await save(request, revision)) === undefined) return { kind: 'deny', refusal: busy() }
    note({ kind: 'approval', event: 'asked', request: request.id, digest, capability: subject.action })
    return { kind: 'deny', refusal: waitFor(request), request }
  }
  const readAnswer = (
    token: string,
  ): (KeptAnswer & { readonly request: string; readonly digest: string }) | Refusal => {
    const { anchors, orders } = parts
    const nowMs = clock.now()
    const verified = verifyDeclaration(token, { purpose: approvalPurpose, anchors, nowMs, human: 1 })
    if (verified.kind === 'deny') return verified
    const { credential, content, expiresAtMs } = verified.declaration
    const ordered = orders.check(credential)
    if (ordered.kind === 'deny') return ordered
    const { request, digest, word, text } = content
    if (typeof request !== 'string' || typeof digest !== 'string' || !isWord(word))
      return refuse('policy.approval-invalid', 'the answer names no request, digest and word')
    return {
      request,
      digest,
      word,
      by: `${credential.owner} ${credential.name}`,
      name: credential.name,
      expiresAtMs,
      atMs: nowMs,
      token,
      ...(typeof text === 'string' ? { text } : {}),
      ...(word === 'amended' ? { arguments: content['arguments'] } : {}),
    }
  }
  const takeIn = async (token: string): Promise<Verdict> => {
    const answer = readAnswer(token)
    if ('kind' in answer) return answer
    const { request: id, digest, ...kept } = answer
    const found = await load(digest)
    if (found?.request.id !== id || found.request.usedAtMs !== undefined)
      return refuse('policy.approval-invalid', 'no request of this id waits: it was used, expired or never made')
    const { request, revision } = found
    if (clock.now() >= request.expiresAtMs) return refuse('policy.approval-invalid', 'the request has expired')
    if (request.answers.some((known) => known.token === token)) return allowed
    if (!isHeard({ ...request.subject }, kept))
      return refuse('policy.approval-invalid', `${kept.name} has no say in this request`)
    if (request.answers.length >= maxAnswers) return refuse('policy.approval-invalid', 'it has too many answers')
    const next = { ...request, answers: [...request.answers, kept] }
    if ((await save(next, revision)) === undefined) return busy()
    note({ kind: 'approval', event: kept.word, request: id, digest, by: kept.name })
    return allowed
  }
  const stillHolds = (answer: KeptAnswer): boolean => {
    const again = readAnswer(answer.token)
    return !('kind' in again)
  }
  return {
    async settle(asked, tokens) {
      const digest = digestSubject(asked.subject, hash)
      for (const token of tokens) {
        const answer = readAnswer(token)
        if ('kind' in answer) return { kind: 'deny', refusal: answer }
        // Another side of the hop may have asked as well: what is about its request is not for this one.
        if (answer.digest !== digest) continue
        const taken = await takeIn(token)
        if (taken.kind === 'deny') return { kind: 'deny', refusal: taken }
      }
      const found = await load(digest)
      if (!found || found.request.usedAtMs !== undefined || clock.now() >= found.request.expiresAtMs)
        return ask(asked, digest, found?.revision ?? 0)
      const { request, revision } = found
      // A denial stays one though its signer left; a grant has to hold now.
      const answers = request.answers.filter((answer) => answer.word !== 'granted' || stillHolds(answer))
      const state = weighAnswers({ ...request.subject, expiresAtMs: request.expiresAtMs }, answers, clock.now())
      if (state === 'waiting') return { kind: 'deny', refusal: waitFor(request), request }
      if (state === 'denied')
        return { kind: 'deny', refusal: refuse('policy.approval-denied', 'a person said no'), request }
      const used = { ...request, usedAtMs: clock.now() }
      if ((await save(used, revision)) === undefined) return { kind: 'deny', refusal: busy() }
      note({ kind: 'approval', event: 'used', request: request.id, digest })
      return { kind: 'allow', request: used }
    },
    answer: takeIn,
    list: () => readApprovalRequests(keyValue),
  }
}

/** Reads every request that a store holds, oldest first. */
export async function readApprovalRequests(keyValue: Pick<KeyValue, 'list'>): Promise<readonly ApprovalRequest[]> {
  const requests = (await keyValue.list(prefix)).flatMap(({ value }) => readRequest(value) ?? [])
  return requests.toSorted((left, right) => left.askedAtMs - right.askedAtMs)
}

/** Counts what waits for a requester, and forgets what is long over. */
async function dropOld(keyValue: KeyValue, requester: string, nowMs: number): Promise<number> {
  let waiting = 0
  for (const entry of await keyValue.list(prefix)) {
    if (isOver(entry, nowMs)) await keyValue.delete(entry.key)
    const request = readRequest(entry.value)
    if (request?.subject.requester === requester && request.usedAtMs === undefined && request.expiresAtMs > nowMs)
      waiting++
  }
  return waiting
}

function isOver({ value }: KeyValueEntry, nowMs: number): boolean {
  return (readRequest(value)?.expiresAtMs ?? 0) + keepMs < nowMs
}

function isWord(word: unknown): word is ApprovalWord {
  return approvalAnswers.some((known) => known === word)
}

function waitFor({ id, digest, reason }: ApprovalRequest): Refusal {
  return refuse('policy.approval-required', `${reason}; request ${id}, digest ${digest}`)
}

function busy(): Refusal {
  return refuse('policy.rate-limited', 'the request is being answered or used at this moment', { retryAfterMs: 100 })
}
