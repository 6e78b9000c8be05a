/** What the bus says of its connection. `closed` is final. */
export type TransportStatus = 'connected' | 'disconnected' | 'closed'

/** One delivered unit: opaque bytes and the subject that they were published to. */
export interface Delivery {
  readonly subject: string
  readonly data: Uint8Array
  /**
   * Says that this is no unit of a publisher but the bus's own word: nobody listened to what was published with `subject`
   * as its `bounceTo`. A definite non-delivery.
   */
  readonly isBounce?: true
}

/** Stops a subscription or a listener; calling it twice does nothing. */
export type Unsubscribe = () => void

/**
 * Carries opaque bytes by subject, at most once, in order per publisher and subject. Subjects are dot-separated tokens;
 * patterns may use `*` for one token and a final `>` for one or more, as NATS has them.
 */
export interface Transport {
  /** Names the implementation for logs and `doctor`, for instance `memory` or `nats`. */
  readonly kind: string
  /** The largest payload in bytes that `publish` takes. */
  readonly maxPayloadBytes: number
  status(): TransportStatus
  /** Calls `listener` at every change of status. */
  onStatus(listener: (status: TransportStatus) => void): Unsubscribe
  /**
   * Hands bytes to the bus. Throws `transport.disconnected` when there is no connection (so a throw proves
   * non-delivery), `transport.closed` after `close`, `transport.payload-too-large` above the limit. A return proves nothing.
   *
   * With `bounceTo`, a bus that knows that nobody listens to `subject` says so on that subject, to this connection alone and
   * once. It must be covered by a subscription of this connection, be used for one publish, and be closed to other
   * publishers; an implementation that cannot trust such a word never gives it.
   */
  publish(subject: string, data: Uint8Array, bounceTo?: string): void
  /**
   * Calls `onDelivery` for each unit whose subject matches. Survives reconnects. Deliveries are handed over one by one
   * and the listener must not throw. Resolves once the bus is known to route to this subscription.
   */
  subscribe(pattern: string, onDelivery: (delivery: Delivery) => void): Promise<Unsubscribe>
  /** Resolves when everything published before has left this process. Rejects with `transport.disconnected`. */
  flush(): Promise<void>
  /** Ends all subscriptions and the connection. Idempotent. */
  close(): Promise<void>
}
