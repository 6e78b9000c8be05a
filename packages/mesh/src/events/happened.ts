import type { Capability } from '@parley/protocol'
import type { HopCaller } from '../serving/hop.ts'

/** What a listener is told about an event, besides its payload. */
export interface Happened {
  /** The event's id, 128 bits in base64url: the same for every listener. */
  readonly id: string
  /** W3C trace id. */
  readonly trace: string
  readonly capability: Capability
  /** Its verified sender. */
  readonly from: HopCaller
  /** The sender's wall time, in milliseconds since the Unix epoch. */
  readonly issuedAtMs: number
  readonly onBehalfOf?: string
  readonly labels: readonly string[]
}

/** Takes an event. What it throws is logged and recorded; nobody is told. */
export type Listener<Payload = unknown> = (payload: Payload, happened: Happened) => void | Promise<void>
