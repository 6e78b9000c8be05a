import type { BodyStore, Clock, Hash } from '@parley/ports'
import { encodeBase64url, isHeaderField, limits, refuse, type BodyRef, type Refusal } from '@parley/protocol'
import { sealOverheadBytes } from './body-keys.ts'
import { createInFlight } from '../node/in-flight.ts'

/** Fetches at the same time: few enough that large bodies of many callers do not fill the memory. */
const maxFetches = 8
/** When to try again after a fetch that failed, in milliseconds. */
const retryAfterMs = 1_000

/** How a body travels: in the envelope, or beside it with a signed reference in the header. */
export interface CarriedBody {
  readonly body: Uint8Array
  readonly bodyRef?: BodyRef
}

/** A body that is ready to travel, or why it cannot. */
export type LoadedBody = { readonly kind: 'allow'; readonly carried: CarriedBody } | Refusal

/** Puts bodies into envelopes or beside them, and takes them out again. */
export interface BodyCarrier {
  /** Bytes that a body may have, one way or the other. */
  readonly maxBytes: number
  /**
   * Decides how a body travels: within `maxInlineBytes` in the envelope, else through the body store, where it is kept
   * until `untilMs`; only that takes a promise. A confidential body never leaves the envelope, nor does one that must be
   * inline. Refuses with `iatp.frame-oversize` and `iatp.body-unavailable`.
   */
  load(
    body: Uint8Array,
    untilMs: number,
    options: { readonly isConfidential: boolean; readonly isInline?: boolean },
  ): LoadedBody | Promise<LoadedBody>
  /**
   * Gives the body that an envelope speaks for, fetched and held against the signed hash and length, within `patienceMs`.
   * Refuses with `iatp.body-mismatch`, `iatp.body-unavailable`, `iatp.frame-oversize` and `deadline.exceeded`.
   */
  unload(
    carried: CarriedBody,
    patienceMs: number,
  ): Promise<{ readonly kind: 'allow'; readonly body: Uint8Array } | Refusal>
}

/** Creates the carrier of a node; without a body store nothing travels by reference. */
export function createBodyCarrier(parts: {
  readonly bodies: BodyStore | undefined
  readonly clock: Clock
  readonly hash: Hash
  readonly maxInlineBytes: number
  readonly maxReferencedBytes: number
}): BodyCarrier {
  const { bodies, clock, hash, maxInlineBytes } = parts
  const maxReferencedBytes = Math.min(parts.maxReferencedBytes, limits.referencedBytes)
  const maxBytes = bodies ? Math.max(maxInlineBytes, maxReferencedBytes) : maxInlineBytes
  const fetching = createInFlight(maxFetches)
  const putAside = async (store: BodyStore, body: Uint8Array, untilMs: number): Promise<LoadedBody> => {
    const where = await attempt(store.put(body, untilMs))
    if (typeof where !== 'string') return unavailable('the body store did not take the body')
    const bodyRef = { hash: encodeBase64url(hash(body)), bytes: body.length, where }
    if (!isHeaderField('bodyRef', bodyRef)) return unavailable('the body store gave a name that no header can hold')
    return { kind: 'allow', carried: { body: new Uint8Array(), bodyRef } }
  }
  return {
    maxBytes,
    load(body, untilMs, { isConfidential, isInline = isConfidential }) {
      const inlineBytes = maxInlineBytes - (isConfidential ? sealOverheadBytes : 0)
      if (body.length <= inlineBytes) return { kind: 'allow', carried: { body } }
      if (!bodies || isConfidential || isInline || body.length > maxBytes) {
        const allowedBytes = isConfidential || isInline ? inlineBytes : maxBytes
        return refuse(
          'iatp.frame-oversize',
          `the body has ${String(body.length)} bytes, ${String(allowedBytes)} are allowed here`,
        )
      }
      return putAside(bodies, body, untilMs)
    },
    async unload({ body, bodyRef }, patienceMs) {
      if (!bodyRef) return { kind: 'allow', body }
      if (body.length > 0) return refuse('iatp.body-mismatch', 'an envelope has a body and refers to another')
      if (!bodies) return unavailable('this node has no body store')
      if (bodyRef.bytes > maxReferencedBytes)
        return refuse('iatp.frame-oversize', `bodies of ${String(maxReferencedBytes)} bytes are fetched here at most`)
      const leave = fetching.enter()
      if (!leave) return unavailable('too many bodies are being fetched')
      const fetched = attempt(bodies.get(bodyRef.where, bodyRef.bytes)).finally(leave)
      const found = await within(clock, fetched, patienceMs)
      if (found === 'late') return refuse('deadline.exceeded', 'the body did not come in time')
      if (!(found instanceof Uint8Array)) return unavailable('the body store has no such body')
      const isSame = found.length === bodyRef.bytes && encodeBase64url(hash(found)) === bodyRef.hash
      return isSame
        ? { kind: 'allow', body: found }
        : refuse('iatp.body-mismatch', 'what was fetched is not the body that was signed for')
    },
  }
}

/** A store that fails has nothing: what it says of itself is for nobody to act on. */
async function attempt<Value>(work: Promise<Value>): Promise<Value | undefined> {
  const [settled] = await Promise.allSettled([work])
  return settled.status === 'fulfilled' ? settled.value : undefined
}

async function within<Value>(clock: Clock, work: Promise<Value>, ms: number): Promise<Value | 'late'> {
  const late = Promise.withResolvers<'late'>()
  const cancelTimer = clock.setTimer(() => {
    late.resolve('late')
  }, ms)
  const first = await Promise.race([work, late.promise])
  cancelTimer()
  return first
}

function unavailable(reason: string): Refusal {
  return refuse('iatp.body-unavailable', reason, { retryAfterMs })
}
