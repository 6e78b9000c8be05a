import { ownerOfParty } from '@parley/policy'
import type { KeyValue } from '@parley/ports'
import { isMeshError, refuse, type Refusal } from '@parley/protocol'
import { readRequest, type ApprovalRequest } from './approval-request.ts'

const prefix = 'approval/'
/** How long what was asked is kept after it expired, for people who look back; and how much of it for one owner. */
const keepMs = 7 * 86_400_000
const maxOver = 256
/** Two people may answer at the same moment, while a call comes; that many never do. */
const maxTries = 8

/** Requests of one node in its store: one in force for each digest, and those that were before it. */
export interface ApprovalStore {
  /** Returns the request that is in force for a digest. */
  load(digest: string): Promise<ApprovalRequest | undefined>
  /** Returns a request by digest and id, also one that another of the same digest took the place of. */
  find(digest: string, id: string): Promise<ApprovalRequest | undefined>
  /**
   * Puts durably and by compare-and-swap what `change` makes of the request that is in force for a digest; what that was
   * is kept if it was another one. Says what came of it: `change` may refuse, or say that all is well as it is.
   */
  update(
    digest: string,
    change: (request: ApprovalRequest | undefined) => ApprovalRequest | Refusal | 'as-it-is',
  ): Promise<ApprovalRequest | Refusal | 'as-it-is'>
  /** Counts what waits for a requester and for its owner, and forgets what is long over, or over and too much for an owner. */
  countWaiting(requester: string, nowMs: number): Promise<{ readonly ofAgent: number; readonly ofOwner: number }>
  /** Lists what is kept, oldest first. */
  list(): Promise<readonly ApprovalRequest[]>
}

/** Opens the requests in a store. */
export function openApprovalStore(keyValue: KeyValue): ApprovalStore {
  const read = async (key: string): Promise<{ request?: ApprovalRequest; revision: number }> => {
    const entry = await keyValue.get(key)
    const request = entry && readRequest(entry.value)
    return { ...(request ? { request } : {}), revision: entry?.revision ?? 0 }
  }
  const put = async (key: string, request: ApprovalRequest, revision?: number): Promise<boolean> => {
    try {
      await keyValue.put(key, new TextEncoder().encode(JSON.stringify(request)), revision)
      return true
    } catch (error) {
      if (isMeshError(error) && error.code === 'store.revision-conflict') return false
      throw error
    }
  }
  return {
    load: async (digest) => (await read(prefix + digest)).request,
    async find(digest, id) {
      const { request } = await read(prefix + digest)
      return request?.id === id ? request : (await read(keyOfPast(digest, id))).request
    },
    async update(digest, change) {
      for (let tries = 0; tries < maxTries; tries++) {
        const { request, revision } = await read(prefix + digest)
        const next = change(request)
        if (next === 'as-it-is' || 'kind' in next) return next
        if (request && request.id !== next.id) await put(keyOfPast(digest, request.id), request)
        if (await put(prefix + digest, next, revision)) return next
      }
      return refuseChanging()
    },
    async countWaiting(requester, nowMs) {
      const ofOwner: ApprovalRequest[] = []
      const over: { readonly key: string; readonly endedAtMs: number }[] = []
      for (const { key, value } of await keyValue.list(prefix)) {
        const request = readRequest(value)
        if ((request?.expiresAtMs ?? 0) + keepMs < nowMs) await keyValue.delete(key)
        else if (!request || ownerOfParty(request.subject.requester) !== ownerOfParty(requester)) continue
        else if (isWaiting(request, nowMs)) ofOwner.push(request)
        // What was used stays until it expires: the same answer, brought again, has to find it so.
        else if (request.expiresAtMs <= nowMs) over.push({ key, endedAtMs: request.usedAtMs ?? request.expiresAtMs })
      }
      const tooMany = over.toSorted((left, right) => right.endedAtMs - left.endedAtMs).slice(maxOver)
      for (const { key } of tooMany) await keyValue.delete(key)
      const ofAgent = ofOwner.filter(({ subject }) => subject.requester === requester).length
      return { ofAgent, ofOwner: ofOwner.length }
    },
    list: () => readApprovalRequests(keyValue),
  }
}

/** Refuses where a request is another again and again while it is looked at. */
export function refuseChanging(): Refusal {
  return refuse('policy.rate-limited', 'the request is being answered or used at this moment', { retryAfterMs: 100 })
}

/** Reads every request that a store holds, oldest first. */
export async function readApprovalRequests(keyValue: Pick<KeyValue, 'list'>): Promise<readonly ApprovalRequest[]> {
  const requests = (await keyValue.list(prefix)).flatMap(({ value }) => readRequest(value) ?? [])
  return requests.toSorted((left, right) => left.askedAtMs - right.askedAtMs)
}

function isWaiting({ usedAtMs, expiresAtMs, answers }: ApprovalRequest, nowMs: number): boolean {
  return usedAtMs === undefined && expiresAtMs > nowMs && !answers.some(isEnd)
}

/** What ends a request: a denial, or an amendment of it. */
function isEnd({ word, amendedFrom }: ApprovalRequest['answers'][number]): boolean {
  return amendedFrom === undefined && (word === 'denied' || word === 'amended')
}

function keyOfPast(digest: string, id: string): string {
  return `${prefix}${digest}/${id}`
}
