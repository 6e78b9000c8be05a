import type { Attestation, Attestor, AttestationRequest, Clock, KeyValue, KeyValueEntry } from '@parley/ports'
import { type InstanceDid, isMeshError, limits, refuse, type Refusal } from '@parley/protocol'
import { hashChain } from '../delegation/chain-hash.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { quote } from '../key/quote.ts'
import { type JoinGrant, verifyJoinGrant } from './join-grant.ts'

/** The method of join tokens. */
export const joinTokenMethod = 'join-token'

/** How long a grant to come back holds if it is not renewed, in milliseconds: a long weekend and more. */
export const defaultRejoinMs: number = 7 * 86_400_000

/**
 * The seats that join tokens make. A seat is one instance at a time; an instance that restarts has another key, and takes
 * the seat of the one before with a grant that only that one was given.
 *
 * I1 A grant lets one instance in, durably before it is allowed, and the same one again: its answer may have been lost.
 * I2 Whoever takes a seat is given the next grant, for a key that it made itself and that never travels.
 * I3 A grant to come back that is shown twice, by two instances, was copied: from then on its seat takes nobody.
 */
export interface JoinSeats {
  /** Decides about newcomers: the evidence is a grant, the voucher the key that it names, the name the grant's. */
  readonly attestor: Attestor
  /**
   * Signs the grant with which the instance that was admitted by `evidence` may come back, for its key. The same for the same
   * key. Codes as the attestor.
   */
  grantNext(
    evidence: string,
    instance: string,
    key: string,
  ): Promise<{ readonly kind: 'allow'; readonly grant: GrantedReturn } | Refusal>
  /** Signs the unused grant of the instance that holds a seat again, with a new life. Codes as the attestor. */
  extend(grant: string, instance: string): Promise<{ readonly kind: 'allow'; readonly grant: GrantedReturn } | Refusal>
  /** Forgets seats whose grants have all expired. */
  forget(): Promise<void>
}

/** A grant to come back as it was signed. */
export interface GrantedReturn {
  readonly token: string
  readonly key: InstanceDid
  readonly expiresAtMs: number
}

/** What is known of a seat. */
interface Seat {
  /** The grant by which it was taken, and by whom. */
  readonly used: string
  readonly by: string
  /** The grant by which it may be taken next. */
  readonly next?: string
  /** A copied grant was shown: nobody may take it any more. */
  readonly closed?: true
  /** Wall time in milliseconds after which no grant of it holds. */
  readonly untilMs: number
}

const prefix = 'issuer/seat/'
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Creates the seats of an issuer over its store. Refusals: those of `verifyJwt`, `identity.join-token-invalid`,
 * `identity.join-token-used`, `identity.rejoin-reused`. Rejects with what the store rejects with.
 */
export function createJoinSeats(options: {
  /** The did:key that signs the grants. */
  readonly issuer: string
  readonly grantJoin: (grant: JoinGrant) => Promise<string>
  readonly keyValue: KeyValue
  readonly clock: Clock
  readonly rejoinMs?: number
}): JoinSeats {
  const { issuer, grantJoin, keyValue, clock, rejoinMs = defaultRejoinMs } = options
  const read = (token: string): ReturnType<typeof verifyJoinGrant> =>
    verifyJoinGrant(token, { issuer, nowMs: clock.now() })

  /** Changes a seat in one step; another writer makes it decide again. */
  const change = async <Decided>(
    id: string,
    decide: (seat: Seat | undefined) => { readonly write?: Seat; readonly decided: Decided },
  ): Promise<Decided> => {
    for (;;) {
      const entry = await keyValue.get(prefix + id)
      const { write, decided } = decide(entry && parseSeat(entry))
      if (!write) return decided
      try {
        await keyValue.put(prefix + id, encoder.encode(JSON.stringify(write)), entry?.revision ?? 0)
        return decided
      } catch (error) {
        if (!isMeshError(error) || error.code !== 'store.revision-conflict') throw error
      }
    }
  }
  const take = (grant: JoinGrant, instance: string): Promise<{ readonly kind: 'allow' } | Refusal> => {
    const { id, seat: seatId = id } = grant
    const taken = { used: id, by: instance, untilMs: grant.expiresAtMs }
    return change<{ readonly kind: 'allow' } | Refusal>(seatId, (seat) => {
      const isFirst = seatId === id
      const usedBefore = refuse('identity.join-token-used', `the join token ${seatId} was used before`)
      const reused = refuse('identity.rejoin-reused', `a grant of the seat ${seatId} was used twice: it was copied`)
      if (!seat)
        return isFirst
          ? { write: taken, decided: { kind: 'allow' } }
          : { decided: invalid(`nobody holds the seat ${seatId}`) }
      if (seat.used === id && seat.by === instance && !seat.closed) return { decided: { kind: 'allow' } }
      if (isFirst) return { decided: usedBefore }
      if (seat.closed) return { decided: reused }
      if (seat.next === id)
        return { write: { ...taken, untilMs: Math.max(seat.untilMs, taken.untilMs) }, decided: { kind: 'allow' } }
      return { write: { ...seat, closed: true }, decided: reused }
    })
  }
  const sign = async (grant: JoinGrant, seat: string, id: string, key: InstanceDid): Promise<GrantedReturn> => {
    const issuedAtMs = clock.now()
    const expiresAtMs = issuedAtMs + rejoinMs
    return { token: await grantJoin({ ...grant, id, seat, key, issuedAtMs, expiresAtMs }), key, expiresAtMs }
  }
  return {
    attestor: {
      method: joinTokenMethod,
      async attest({ name, instance, voucher, evidence }: AttestationRequest): Promise<Attestation> {
        const verdict = read(evidence)
        if (verdict.kind === 'deny') return verdict
        const { grant } = verdict
        const { id, seat = id, serves, calls } = grant
        if (grant.key !== voucher) return invalid(`the join token ${id} is of another key than ${quote(voucher)}`)
        if (grant.name !== name) return invalid(`the join token ${id} is for ${grant.name}, not for ${quote(name)}`)
        const taken = await take(grant, instance)
        if (taken.kind === 'deny') return taken
        return { kind: 'allow', id: seat, ...(serves ? { serves } : {}), ...(calls ? { calls } : {}) }
      },
    },
    async grantNext(evidence, instance, key) {
      const verdict = read(evidence)
      if (verdict.kind === 'deny') return verdict
      const { grant } = verdict
      const { id, seat: seatId = id } = grant
      if (!isInstanceDid(key) || key === grant.key) return invalid(`${quote(key)} is no new did:key to come back with`)
      // The same for the same key: an answer that was lost is given again, and an old question changes nothing.
      const next = hashChain([seatId, key])
      const untilMs = clock.now() + rejoinMs
      const written = await change<{ readonly kind: 'allow' } | Refusal>(seatId, (seat) =>
        seat?.used === id && seat.by === instance && !seat.closed
          ? { write: { ...seat, next, untilMs: Math.max(seat.untilMs, untilMs) }, decided: { kind: 'allow' } }
          : { decided: invalid(`${instance} does not hold the seat ${seatId}`) },
      )
      if (written.kind === 'deny') return written
      return { kind: 'allow', grant: await sign(grant, seatId, next, key) }
    },
    async extend(token, instance) {
      const verdict = read(token)
      if (verdict.kind === 'deny') return verdict
      const { grant } = verdict
      const { id, seat: seatId = id } = grant
      const untilMs = clock.now() + rejoinMs
      const written = await change<{ readonly kind: 'allow' } | Refusal>(seatId, (seat) =>
        seat?.next === id && seat.by === instance && !seat.closed
          ? { write: { ...seat, untilMs: Math.max(seat.untilMs, untilMs) }, decided: { kind: 'allow' } }
          : { decided: invalid(`${instance} has no unused grant ${id}`) },
      )
      if (written.kind === 'deny') return written
      return { kind: 'allow', grant: await sign(grant, seatId, id, grant.key) }
    },
    async forget() {
      for (const entry of await keyValue.list(prefix))
        if (parseSeat(entry).untilMs + 2 * limits.skewMs < clock.now()) await keyValue.delete(entry.key)
    },
  }
}

/** Only this file writes seats. */
function parseSeat({ value }: KeyValueEntry): Seat {
  return JSON.parse(decoder.decode(value)) as Seat
}

function invalid(reason: string): Refusal {
  return refuse('identity.join-token-invalid', reason)
}
