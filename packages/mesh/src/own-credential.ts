import type { CancelTimer, Clock, IssuedCredential, Issuer, Logger } from '@parley/ports'
import { MeshError, type AgentName, type InstanceDid } from '@parley/protocol'
import { verifyCredential, type Anchors, type VerifiedCredential } from '@parley/identity'

/** The credential of this instance, renewed in time. */
export interface OwnCredential {
  issued(): IssuedCredential
  verified(): VerifiedCredential
  /** Milliseconds until it expires. */
  remainingMs(): number
  stop(): void
}

/** A credential is renewed when this share of its life is over. */
const renewAfter = 2 / 3
/** How long to wait after an issuer did not answer. */
const retryMs = 10_000

/**
 * Asks the issuer for a credential and keeps it fresh. What the issuer gives must hold under this node's own anchors,
 * or no peer could accept it. Rejects with what the issuer says, or with the code of the failed check.
 */
export async function obtainCredential(options: {
  readonly issuer: Issuer
  readonly anchors: Anchors
  readonly clock: Clock
  readonly logger: Logger
  readonly name: AgentName
  readonly instance: InstanceDid
  readonly serves: readonly string[]
  readonly calls: readonly string[]
}): Promise<OwnCredential> {
  const { issuer, anchors, clock, logger, name, instance, serves, calls } = options
  let cancelTimer: CancelTimer = () => undefined
  let stopped = false
  const obtain = async (): Promise<{ issued: IssuedCredential; verified: VerifiedCredential }> => {
    const issued = await issuer.issue({ name, instance, serves, calls })
    const check = verifyCredential(issued, { anchors, instance, nowMs: clock.now() })
    if (check.kind === 'deny')
      throw new MeshError(
        check.code,
        `the issuer's credential for ${name} does not hold under this node's anchors: ${check.reason}`,
      )
    return { issued, verified: check.credential }
  }
  let current = await obtain()
  const remainingMs = (): number => current.verified.expiresAtMs - clock.now()
  const schedule = (delayMs: number): void => {
    if (stopped) return
    cancelTimer = clock.setTimer(() => {
      obtain().then(
        (next) => {
          current = next
          schedule(remainingMs() * renewAfter)
        },
        (error: unknown) => {
          const message = error instanceof Error ? error.message : 'unknown'
          logger.warn('identity.renewal-failed', { name, remainingMs: remainingMs(), error: message })
          schedule(retryMs)
        },
      )
    }, delayMs)
  }
  schedule(remainingMs() * renewAfter)
  return {
    issued: () => current.issued,
    verified: () => current.verified,
    remainingMs,
    stop() {
      stopped = true
      cancelTimer()
    },
  }
}
