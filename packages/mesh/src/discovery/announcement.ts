import { formatInstanceToken, isCapability, type InstanceDid } from '@parley/protocol'
import { parseJsonBody } from '../serving/json-body.ts'
import { isSequences } from '../orders/order-message.ts'
import { isEvidenceNews, type EvidenceNews } from '../trust/evidence-message.ts'

/** Topics of the events that make up discovery. */
export const announcementTopics = { card: 'card', who: 'who' } as const

/** The topic on which one instance is told announcements that it asked for. Nobody else listens to it. */
export function announcedTo(instance: InstanceDid): string {
  return `card-to-${formatInstanceToken(instance)}`
}

/** The topic on which one instance is asked for its contracts. Nobody else listens to it. */
export function contractsAskedOf(instance: InstanceDid): string {
  return `contracts-of-${formatInstanceToken(instance)}`
}

/** The topic on which one instance is told contracts. Nobody else listens to it. */
export function contractsToldTo(instance: InstanceDid): string {
  return `contracts-to-${formatInstanceToken(instance)}`
}

/** What an instance says of itself; its name and grants come from the credential in the header. */
export interface Announcement {
  /** Random id of this start: two processes with one key show different ones. */
  readonly boot: string
  /** Capability → contract hash. Empty while draining. */
  readonly serves: Readonly<Record<string, string>>
  /** The instance says goodbye. */
  readonly leaving: boolean
  /** Owner → sequence of the last of its orders that the instance holds: who holds fewer asks for them. */
  readonly orders?: Readonly<Record<string, number>>
  /** How much evidence it shares: who took less asks for it. */
  readonly evidence?: EvidenceNews
}

/** The body of a `who` whose asker wants to be told alone. An empty one asks for announcements to all. */
export const askedAlone: Uint8Array = new TextEncoder().encode(JSON.stringify({ alone: true }))

/** Tells whether the asker of a `who` listens to the topic of its own. */
export function isAskedAlone(body: Uint8Array): boolean {
  const { alone } = (parseJsonBody(body)?.value ?? {}) as { readonly alone?: unknown }
  return alone === true
}

/** Capabilities that one announcement may list. */
export const maxCapabilities = 1_000

/** Encodes an announcement as the JSON body of a `card` event. */
export function encodeAnnouncement(announcement: Announcement): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(announcement))
}

/** Decodes the body of a `card` event; undefined if it is not one. */
export function decodeAnnouncement(body: Uint8Array): Announcement | undefined {
  const value = parseJsonBody(body)?.value
  if (typeof value !== 'object' || value === null) return undefined
  const { boot, serves, leaving, orders, evidence } = value as Partial<Record<keyof Announcement, unknown>>
  if (typeof boot !== 'string' || boot.length > 64 || typeof leaving !== 'boolean') return undefined
  if (typeof serves !== 'object' || serves === null || Array.isArray(serves)) return undefined
  const entries = Object.entries(serves)
  if (entries.length > maxCapabilities) return undefined
  if (entries.some(([capability, hash]) => !isCapability(capability) || typeof hash !== 'string')) return undefined
  if (orders !== undefined && !isSequences(orders)) return undefined
  if (evidence !== undefined && !isEvidenceNews(evidence)) return undefined
  return {
    boot,
    leaving,
    serves: serves as Record<string, string>,
    ...(orders === undefined ? {} : { orders }),
    ...(evidence === undefined ? {} : { evidence }),
  }
}
