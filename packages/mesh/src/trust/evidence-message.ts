import { encodeBase64url, formatInstanceToken, type InstanceDid } from '@parley/protocol'
import type { SharedPlace } from '@parley/trust'
import { parseJsonBody } from '../serving/json-body.ts'
import type { EvidenceScope } from './trust-options.ts'

/** A batch of evidence as one node tells it to others. It is signed by the instance that tells it. */
export interface EvidenceTelling {
  /** Whom it is meant for. */
  readonly scope: EvidenceScope
  /** As the ledger of its rater sealed it. */
  readonly batch: Uint8Array
  /** Of an answer: what lies between the place that was asked for and this is gone. */
  readonly isOldest: boolean
  /** Of an answer: more follows, if asked for. */
  readonly hasMore: boolean
}

/** What a card says of the evidence that its instance shares. */
export interface EvidenceNews {
  /** Under which name it counts. */
  readonly stream: string
  readonly upTo: number
}

/** The topic of evidence that is told to all. */
export const evidenceTopic = 'evidence'

/** The topic on which one instance is asked for evidence. Nobody else listens to it. */
export function evidenceAskedOf(instance: InstanceDid): string {
  return `evidence-of-${formatInstanceToken(instance)}`
}

/** The topic on which one instance is told the evidence that it asked for. Nobody else listens to it. */
export function evidenceToldTo(instance: InstanceDid): string {
  return `evidence-to-${formatInstanceToken(instance)}`
}

/** Room for what stands around a batch. */
const overheadBytes = 256
const maxNameLength = 1_024

/** The largest batch that fits a body of so many bytes. */
export function maxBatchBytes(maxBodyBytes: number): number {
  return Math.floor(((maxBodyBytes - overheadBytes) * 3) / 4)
}

/** Encodes a telling as the JSON body of an event. */
export function encodeEvidenceTelling({ batch, ...rest }: EvidenceTelling): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ ...rest, batch: encodeBase64url(batch) }))
}

/** Decodes a telling; undefined if it is none. */
export function decodeEvidenceTelling(body: Uint8Array): EvidenceTelling | undefined {
  const { scope, batch, isOldest, hasMore } = readFields(body)
  if ((scope !== 'owner' && scope !== 'mesh') || typeof batch !== 'string') return undefined
  if (typeof isOldest !== 'boolean' || typeof hasMore !== 'boolean') return undefined
  // Whether these are the bytes that were meant, their signature shows.
  return { scope, batch: Buffer.from(batch, 'base64url'), isOldest, hasMore }
}

/** Encodes the place after which an instance asks for evidence. */
export function encodeEvidenceQuestion({ seq, last }: SharedPlace): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ seq, last }))
}

/** Decodes a question; undefined if it is none. */
export function decodeEvidenceQuestion(body: Uint8Array): SharedPlace | undefined {
  const { seq, last } = readFields(body)
  return isCount(seq) && isName(last) ? { seq, last } : undefined
}

/** Tells whether a value is what a card may say of evidence. */
export function isEvidenceNews(value: unknown): value is EvidenceNews {
  if (typeof value !== 'object' || value === null) return false
  const { stream, upTo } = value as Partial<Record<keyof EvidenceNews, unknown>>
  return isName(stream) && isCount(upTo)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxNameLength
}

function readFields(body: Uint8Array): Partial<Record<string, unknown>> {
  return parseJsonBody(body)?.value ?? {}
}
