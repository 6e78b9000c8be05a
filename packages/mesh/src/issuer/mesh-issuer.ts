import type { Clock, CredentialRequest, IssuedCredential, Issuer } from '@parley/ports'
import { MeshError, type AgentName, type InstanceDid } from '@parley/protocol'
import type { MeshNode } from '../node/node.ts'
import type { Outcome } from '../contract/outcome.ts'
import type { OwnCredential } from '../node/own-credential.ts'
import { issuerContract } from './issuer-contract.ts'
import type { IssuerAnswer } from './issuer-schema.ts'
import type { MeshJoin } from './mesh-join.ts'
import type { IssuerVisit } from './visit-issuer.ts'

/** How long a newcomer looks for its issuer before it gives up, in milliseconds. */
const joinPatienceMs = 10_000
/** Pause between two tries, in milliseconds. */
const retryMs = 250
const callMs = 5_000

/** Codes with which the issuer itself cannot have decided: it may be asked again. */
const undecided: ReadonlySet<string> = new Set([
  'mesh.no-provider',
  'mesh.draining',
  'mesh.not-started',
  'iatp.handshake-failed',
  'iatp.sender-limited',
  'iatp.session-unknown',
  'deadline.exceeded',
  'breaker.open',
  'bulkhead.full',
  'transport.disconnected',
  'hop.stage-failed',
  'hop.unrecorded',
])

/**
 * Creates an issuer port over the mesh: asks `issuer:issue` with an admission while the instance has no credential, behind a
 * fence by a visit, and `issuer:renew` with the one that it has from then on. What lets the process come back after a restart
 * is kept before the credential is handed out. Rejects with `identity.issuer-unavailable` while nobody decides, else
 * with the code of the refusal.
 */
export function createMeshIssuer(parts: {
  readonly join: MeshJoin
  readonly name: AgentName
  readonly instance: InstanceDid
  readonly clock: Clock
  readonly own: () => OwnCredential
  /** Calls as the runtime: what the agent's own policy documents say does not bind it. */
  readonly tryCall: MeshNode['tryCall']
  /** How the first credential is asked for behind a fence. */
  readonly visit: (() => Promise<IssuerVisit>) | undefined
}): Issuer {
  const { join, name, instance, clock, own, tryCall } = parts
  const admit = async (): Promise<void> => {
    own().present(await join.admit({ instance, name, nowMs: clock.now() }))
  }
  const ask = async (asked: CredentialRequest, visit: IssuerVisit | undefined): Promise<Outcome<IssuerAnswer>> => {
    const isNew = own().isProvisional()
    const comeBack = isNew ? join.seat?.ask() : join.seat?.askAgain(clock.now())
    if (isNew && !visit) await admit()
    const { serves, calls, nkey } = asked
    const { credential, statement } = visit?.admission ?? own().issued()
    const request = {
      serves,
      calls,
      ...(nkey === undefined ? {} : { nkey }),
      credential,
      statement,
      ...(comeBack ? { comeBack } : {}),
    }
    if (visit) return visit.ask({ ...request, consent: visit.consent }, callMs)
    const capability = isNew ? issuerContract.issue : issuerContract.renew
    return tryCall(capability, request, { to: join.issuer, deadlineMs: callMs })
  }
  const issueOver = async (asked: CredentialRequest, visit: IssuerVisit | undefined): Promise<IssuedCredential> => {
    const untilMs = clock.monotonic() + (own().isProvisional() ? joinPatienceMs : 0)
    for (;;) {
      const outcome = await ask(asked, visit)
      if (outcome.kind === 'ok') {
        const { comeBack, ...issued } = outcome.output
        if (comeBack) await join.seat?.keep(comeBack)
        return issued
      }
      const code = outcome.kind === 'declined' ? 'identity.issuer-refused' : outcome.code
      if (outcome.kind === 'refused' && !undecided.has(code))
        throw new MeshError(outcome.code, `${join.issuer} gives ${name} no credential: ${outcome.reason}`)
      if (clock.monotonic() >= untilMs)
        throw new MeshError('identity.issuer-unavailable', `${join.issuer} gave no answer: ${outcome.kind} (${code})`)
      await new Promise<void>((resolve) => void clock.setTimer(resolve, retryMs))
    }
  }
  return {
    async issue(request) {
      const visit = own().isProvisional() ? await parts.visit?.() : undefined
      try {
        return await issueOver(request, visit)
      } finally {
        await visit?.close()
      }
    },
  }
}
