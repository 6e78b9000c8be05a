/** Limits of the wire, in one place. A node may lower them, never raise what peers must accept. */
export const limits = {
  /** Header bytes, without the credential and chain that it may carry. */
  headerBytes: 8_192,
  /** How deep objects and lists of a header may nest; the header itself is the first level. */
  headerDepth: 8,
  /** A credential; its issuer's statement may have as much again. */
  credentialBytes: 8_192,
  /** All links of a delegation chain. */
  chainBytes: 32_768,
  chainLinks: 5,
  /** Answers of people that a request brings, and all of them together. */
  approvals: 8,
  approvalBytes: 32_768,
  bodyBytes: 983_040,
  /** A body that travels by reference. A receiver may take less. */
  referencedBytes: 268_435_456,
  /** Hops that one piece of work may take in a row: agents that call each other in a circle end here. */
  pathHops: 32,
  labels: 32,
  /** Envelopes in one frame. */
  frameEnvelopes: 64,
  /** A frame of more than one envelope. */
  bundleBytes: 262_144,
  /** From issued-at to expiry. */
  lifetimeMs: 300_000,
  /** How far another machine's clock may be off. */
  skewMs: 60_000,
  /** Counters that a session remembers per direction. */
  replayWindow: 4096,
  /** Parts of a stream that may be on their way. */
  streamParts: 256,
  /** How long a callee that took work on may be silent. */
  leaseMs: 300_000,
  /** Ids of events that are remembered per sender, for as long as a copy could still be taken. */
  eventIds: 4096,
  /** Signatures a second that one sender may have checked. */
  signaturesPerSecond: 2_000,
} as const
