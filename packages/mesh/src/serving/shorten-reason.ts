/** Far below what a record may hold, far above what a person reads. */
const maxReasonChars = 512

/**
 * Cuts a reason so that a record can hold it. What a peer sent may be named in it (each wrong field of a body, for
 * instance), and a hop whose reason is too long must not go unrecorded.
 */
export function shortenReason(reason: string): string {
  return reason.length > maxReasonChars ? `${reason.slice(0, maxReasonChars - 1)}…` : reason
}
