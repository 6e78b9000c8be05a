import type { CancelTimer, Clock, IssuedCredential, Issuer, Logger } from '@parley/ports'
import { limits, MeshError, type AgentName, type InstanceDid } from '@parley/protocol'
import { verifyCredential, type Anchors, type VerifiedCredential } from '@parley/identity'

/** The credential of this instance, renewed in time. */
export interface OwnCredential {
  issued(): IssuedCredential
  verified(): VerifiedCredential
  /** Milliseconds until it expires. */
  remainingMs(): number
  /** Calls `listener` after every renewal. */
  onRenewed(listener: () => void): void
  stop(): void
}

/** A credential is renewed when this share of its life is over. */
const renewAfter = 2 / 3
/** Renewals are at least this far apart, in milliseconds. */
const minRenewalMs = 1_000
/** How long to wait after an issuer did not answer. */
const retryMs = 10_000
/** How often the wall clock is looked at: it may be set, and a machine may sleep, which no timer notices. */
const lookMs = 5_000

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
  /** The public key that it logs in to a NATS broker with. */
  readonly nkey?: string
}): Promise<OwnCredential> {
  const { issuer, anchors, clock, logger, name, instance, serves, calls, nkey } = options
  const listeners: (() => void)[] = []
  let cancelTimer: CancelTimer = () => undefined
  let stopped = false
  const obtain = async (): Promise<{ issued: IssuedCredential; verified: VerifiedCredential }> => {
    const issued = await issuer.issue({ name, instance, serves, calls, ...(nkey === undefined ? {} : { nkey }) })
    const check = verifyCredential(issued, { anchors, instance, nowMs: clock.now() })
    if (check.kind === 'deny')
      throw new MeshError(
        check.code,
        `the issuer's credential for ${name} does not hold under this node's anchors: ${check.reason}`,
      )
    if (issued.natsUser !== undefined && check.credential.nkey !== nkey)
      throw new MeshError(
        'identity.credential-mismatch',
        `the issuer bound ${check.credential.nkey ?? 'no NATS user key'} to ${name}, which asked for ${nkey ?? 'none'}`,
      )
    return { issued, verified: check.credential }
  }
  let current = await obtain()
  const remainingMs = (): number => current.verified.expiresAtMs - clock.now()
  const renew = (): void => {
    obtain().then(
      (next) => {
        current = next
        schedule()
        for (const listener of listeners) listener()
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : 'unknown'
        logger.warn('identity.renewal-failed', { name, remainingMs: remainingMs(), error: message })
        wait(clock.monotonic() + retryMs, () => false)
      },
    )
  }
  /** Renews at a monotonic time, or as soon as the wall clock asks for it. */
  const wait = (dueAtMs: number, isAskedFor: () => boolean): void => {
    if (stopped) return
    const leftMs = dueAtMs - clock.monotonic()
    if (leftMs <= 0 || isAskedFor()) renew()
    else
      cancelTimer = clock.setTimer(
        () => {
          wait(dueAtMs, isAskedFor)
        },
        Math.min(leftMs, lookMs),
      )
  }
  const schedule = (): void => {
    const fromMs = clock.now()
    const lifeMs = Math.max(0, remainingMs() * renewAfter)
    // The least keeps an issuer that gives what is all but expired from being asked in a circle.
    const dueAtMs = clock.monotonic() + Math.max(lifeMs, minRenewalMs)
    wait(dueAtMs, () => clock.now() < fromMs - limits.skewMs || clock.now() > fromMs + lifeMs + limits.skewMs)
  }
  schedule()
  return {
    issued: () => current.issued,
    verified: () => current.verified,
    remainingMs,
    onRenewed(listener) {
      listeners.push(listener)
    },
    stop() {
      stopped = true
      cancelTimer()
    },
  }
}
