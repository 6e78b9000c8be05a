/**
 * Keeps bodies that are too large for an envelope where both sides can reach them. It is trusted for nothing: what comes
 * back is held against the signed hash and length. A name is only ever looked up here, never followed as an address.
 */
export interface BodyStore {
  /**
   * Keeps a body at least until `untilMs` (milliseconds since the Unix epoch) and resolves with its name, 1 to 512
   * characters, once others can fetch it.
   */
  put(body: Uint8Array, untilMs: number): Promise<string>
  /** Fetches a body; undefined if there is none of this name, or if it has more than `maxBytes`. */
  get(where: string, maxBytes: number): Promise<Uint8Array | undefined>
}
