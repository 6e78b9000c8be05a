/** A call that is being served: what can still be said to it. */
export interface ServingCall {
  /** The session that it came in: nobody else has a say. */
  readonly session: string
  /** Its caller takes it back. */
  cancel(): void
  /** The node closes. */
  close(): void
  /** Its caller takes parts up to this number. */
  grant(part: number): void
}
