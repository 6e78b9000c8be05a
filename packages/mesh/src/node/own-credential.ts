import type { CancelTimer, Clock, IssuedCredential, Issuer, Logger } from '@parley/ports'
import { limits, MeshError, type AgentName, type InstanceDid } from '@parley/protocol'
import { verifyCredential, type Anchors, type PresentedCredential, type VerifiedCredential } from '@parley/identity'
import { issuerContract } from '../issuer/issuer-contract.ts'

/**
 * The credential of this instance, renewed in time.
 *
 * I1 What is held was verified under this node's own anchors; a renewal that fails leaves what is held.
 * I2 A person's is not renewed: its time of sign-in would be made up.
 * I3 An admission may stand in its place until the first one is issued; with it an instance may only ask its issuer.
 */
export interface OwnCredential {
  issued(): IssuedCredential
  verified(): VerifiedCredential
  /** Milliseconds until it expires; below 0 once it has. */
  remainingMs(): number
  /** There is only an admission yet. */
  isProvisional(): boolean
  /** Takes an admission with its evidence, to ask the issuer with. Does nothing once there is a credential. */
  present(admission: PresentedCredential): void
  /** Asks for the first credential and keeps it fresh. Rejects with what the issuer says, or the code of a failed check. */
  start(): Promise<void>
  /** Calls `listener` after every renewal. */
  onRenewed(listener: () => void): void
  stop(): void
}

/** A credential is renewed when this share of its life is over. */
const renewAfter = 2 / 3
/** Renewals are at least this far apart, in milliseconds. */
const minRenewalMs = 1_000
/** The longest wait after an issuer did not answer. */
const maxRetryMs = 10_000
/** How often the wall clock is looked at: it may be set, and a machine may sleep, which no timer notices. */
const lookMs = 5_000

interface Held {
  readonly issued: IssuedCredential
  readonly verified: VerifiedCredential
}

/** Creates the keeper of an instance's credential. It asks for nothing before `start`. */
export function createOwnCredential(options: {
  readonly issuer: Issuer
  readonly anchors: Anchors
  readonly clock: Clock
  readonly logger: Logger
  readonly name: AgentName
  readonly instance: InstanceDid
  readonly serves: readonly string[]
  readonly calls: readonly string[]
  /** The public key that it logs in to a NATS broker with, which the credential shall bind. */
  readonly nkey?: string
}): OwnCredential {
  const { issuer, anchors, clock, logger, name, instance, serves, calls, nkey } = options
  const listeners: (() => void)[] = []
  let cancelTimer: CancelTimer = () => undefined
  let stopped = false
  let isProvisional = true
  let held: Held | undefined
  const current = (): Held => {
    if (!held) throw new MeshError('mesh.not-started', `${name} has no credential yet`)
    return held
  }
  const obtain = async (): Promise<Held> => {
    const issued = await issuer.issue({ name, instance, serves, calls, ...(nkey === undefined ? {} : { nkey }) })
    const check = verifyCredential(issued, { anchors, instance, nowMs: clock.now() })
    if (check.kind === 'deny')
      throw new MeshError(
        check.code,
        `the issuer's credential for ${name} does not hold under this node's anchors: ${check.reason}`,
      )
    const { credential } = check
    if (credential.name !== name)
      throw new MeshError('identity.credential-mismatch', `the issuer gave ${name} a credential of ${credential.name}`)
    // A token of the broker is for the key that the credential binds; a credential may bind none where there is no token.
    const isBound = credential.nkey !== undefined || issued.natsUser !== undefined
    if (isBound && credential.nkey !== nkey)
      throw new MeshError(
        'identity.credential-mismatch',
        `the issuer bound ${credential.nkey ?? 'no NATS user key'} to ${name}, which asked for ${nkey ?? 'none'}`,
      )
    return { issued, verified: credential }
  }
  const remainingMs = (): number => current().verified.expiresAtMs - clock.now()
  const renew = (): void => {
    obtain().then(
      (next) => {
        if (stopped) return
        held = next
        schedule()
        for (const listener of listeners) listener()
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : 'unknown'
        logger.warn('identity.renewal-failed', { name, remainingMs: remainingMs(), error: message })
        // A short life leaves little time: several tries fit into what is left.
        const leftMs = remainingMs()
        const retryMs = leftMs > 0 ? Math.min(maxRetryMs, Math.max(minRenewalMs, Math.floor(leftMs / 4))) : maxRetryMs
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
    // A person signs in again; nothing is renewed in its name.
    if (current().verified.agentKind === 'human') return
    const fromMs = clock.now()
    // Whole milliseconds, as every time in a header is.
    const lifeMs = Math.max(0, Math.floor(remainingMs() * renewAfter))
    // The least keeps an issuer that gives what is all but expired from being asked in a circle.
    const dueAtMs = clock.monotonic() + Math.max(lifeMs, minRenewalMs)
    wait(dueAtMs, () => clock.now() < fromMs - limits.skewMs || clock.now() > fromMs + lifeMs + limits.skewMs)
  }
  return {
    issued: () => current().issued,
    verified: () => current().verified,
    remainingMs,
    isProvisional: () => isProvisional,
    present({ credential, statement }) {
      const owner = anchors.ofName(name)?.owner
      if (!isProvisional) return
      if (!owner) throw new MeshError('identity.name-not-owned', `no anchor of this node covers its own name ${name}`)
      const notBeforeMs = clock.now()
      // The issuer decides how long the admission holds; here it only has to be there.
      const expiresAtMs = notBeforeMs + limits.lifetimeMs
      held = {
        issued: { credential, statement, expiresAtMs },
        verified: {
          id: `admission ${String(notBeforeMs)}`,
          instance,
          name,
          owner,
          issuer: owner,
          serves: [],
          calls: [issuerContract.issue.capability],
          ceiling: 1000,
          agentKind: 'agent',
          notBeforeMs,
          expiresAtMs,
        },
      }
    },
    async start() {
      held = await obtain()
      isProvisional = false
      schedule()
    },
    onRenewed(listener) {
      listeners.push(listener)
    },
    stop() {
      stopped = true
      cancelTimer()
    },
  }
}
