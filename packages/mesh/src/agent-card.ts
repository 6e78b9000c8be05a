import { isCapability, type AgentId, type InstanceDid } from '@parley/protocol'
import { hashDescription, type CapabilityDescription } from './contract.ts'

/** What an instance says that it serves, in a signed event of its own: enough to write a call, or a model's list of tools. */
export interface AgentCard {
  readonly agent: AgentId
  readonly instance: InstanceDid
  /** Each with the hash that requests name. */
  readonly capabilities: readonly (CapabilityDescription & { readonly hash: string })[]
}

/** The capabilities of a card, as one frame carries them. */
export type DescribedCapabilities = AgentCard['capabilities']

const maxCapabilities = 1_000
const risks: ReadonlySet<unknown> = new Set(['read', 'reversible', 'irreversible', 'administrative'])

/** Encodes what an instance serves as the body of the event that tells it. */
export function encodeCapabilities(capabilities: readonly CapabilityDescription[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ capabilities }))
}

/**
 * Decodes the capabilities of a card; undefined if they are malformed. The hashes are computed, not read, so that a
 * description cannot claim to be of another contract.
 */
export function decodeCapabilities(body: Uint8Array): DescribedCapabilities | undefined {
  const value = parseJson(body)
  if (!isRecord(value)) return undefined
  const { capabilities } = value
  if (!Array.isArray(capabilities) || capabilities.length > maxCapabilities) return undefined
  const read = capabilities.map(readDescription)
  return read.every((each) => each !== undefined) ? read : undefined
}

function readDescription(value: unknown): DescribedCapabilities[number] | undefined {
  if (!isRecord(value)) return undefined
  const { capability, input, output, errors, risk, undo, confidential } = value
  if (typeof confidential !== 'boolean') return undefined
  if (typeof capability !== 'string' || !isCapability(capability) || !risks.has(risk) || typeof undo !== 'boolean')
    return undefined
  if (!isRecord(input) || !isRecord(output) || !isRecord(errors) || !Object.values(errors).every(isRecord))
    return undefined
  const description = { capability, input, output, errors, risk, undo, confidential } as CapabilityDescription
  return { ...description, hash: hashDescription(description) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}
