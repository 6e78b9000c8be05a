import { isCapability, type AgentId, type InstanceDid } from '@parley/protocol'
import { parseJsonBody } from '../serving/json-body.ts'
import { hashDescription, type CapabilityDescription, type EventDescription } from '../contract/contract.ts'

/** What an instance says that it serves, in a signed event of its own: enough to write a call, or a model's list of tools. */
export interface AgentCard {
  readonly agent: AgentId
  readonly instance: InstanceDid
  /** Each with the hash that requests name. */
  readonly capabilities: readonly (CapabilityDescription & { readonly hash: string })[]
  /** What it emits, each with the hash that its events name. */
  readonly events: readonly (EventDescription & { readonly hash: string })[]
  /** By which policy it decides, as it says: the hash of the set, and who released it as which number. */
  readonly policy?: CardPolicy
}

/** What an instance says of its policy. */
export interface CardPolicy {
  readonly hash: string
  readonly releasedBy?: string
  readonly release?: number
}

/** What a card says besides whose it is, as one frame carries it. */
export type CardContents = Pick<AgentCard, 'capabilities' | 'events' | 'policy'>

const maxDescriptions = 1_000
const risks: ReadonlySet<unknown> = new Set(['read', 'reversible', 'irreversible', 'administrative'])

/** Encodes what an instance serves and emits as the body of the event that tells it. */
export function encodeCard(
  capabilities: readonly CapabilityDescription[],
  events: readonly EventDescription[],
  policy?: CardPolicy,
): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ capabilities, events, policy }))
}

/**
 * Decodes what a card says; undefined if it is malformed. The hashes are computed, not read, so that a
 * description cannot claim to be of another contract.
 */
export function decodeCard(body: Uint8Array): CardContents | undefined {
  const value = parseJsonBody(body)?.value
  if (!isRecord(value)) return undefined
  const capabilities = readAll(value['capabilities'], readDescription)
  const events = readAll(value['events'] ?? [], readEvent)
  const policy = value['policy'] === undefined ? undefined : readPolicy(value['policy'])
  if (!capabilities || !events || (value['policy'] !== undefined && !policy)) return undefined
  return { capabilities, events, ...(policy ? { policy } : {}) }
}

function readPolicy(value: unknown): CardPolicy | undefined {
  if (!isRecord(value)) return undefined
  const { hash, releasedBy, release } = value
  if (typeof hash !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(hash)) return undefined
  if (releasedBy === undefined && release === undefined) return { hash }
  const isReleased = typeof releasedBy === 'string' && releasedBy.length <= 256 && Number.isSafeInteger(release)
  return isReleased ? { hash, releasedBy, release: release as number } : undefined
}

function readAll<Item>(values: unknown, read: (value: unknown) => Item | undefined): readonly Item[] | undefined {
  if (!Array.isArray(values) || values.length > maxDescriptions) return undefined
  const all = values.map(read)
  return all.every((each) => each !== undefined) ? all : undefined
}

function readEvent(value: unknown): CardContents['events'][number] | undefined {
  if (!isRecord(value)) return undefined
  const { event, payload, risk } = value
  if (typeof event !== 'string' || !isCapability(event) || !risks.has(risk) || !isRecord(payload)) return undefined
  const description = { event, payload, risk } as EventDescription
  return { ...description, hash: hashDescription(description) }
}

function readDescription(value: unknown): CardContents['capabilities'][number] | undefined {
  if (!isRecord(value)) return undefined
  const { capability, input, output, errors, risk, undo, confidential, stream, progress } = value
  if (typeof confidential !== 'boolean') return undefined
  if (typeof capability !== 'string' || !isCapability(capability) || !risks.has(risk) || typeof undo !== 'boolean')
    return undefined
  if (!isRecord(input) || !isRecord(output) || !isRecord(errors) || !Object.values(errors).every(isRecord))
    return undefined
  if (![stream, progress].every((schema) => schema === undefined || isRecord(schema))) return undefined
  const description = {
    capability,
    input,
    output,
    errors,
    risk,
    undo,
    confidential,
    ...(stream === undefined ? {} : { stream }),
    ...(progress === undefined ? {} : { progress }),
  } as CapabilityDescription
  return { ...description, hash: hashDescription(description) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
