import type { Clock, Issuer } from '@parley/ports'
import { MeshError, type AgentName, type InstanceDid } from '@parley/protocol'
import type { MeshNode } from '../node.ts'
import type { Outcome } from '../outcome.ts'
import type { OwnCredential } from '../own-credential.ts'
import { issuerContract } from './issuer-contract.ts'
import type { IssuerAnswer } from './issuer-schema.ts'
import type { MeshJoin } from './mesh-join.ts'

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
 * Creates an issuer port over the mesh: asks `issuer:issue` with an admission while the instance has no credential, and
 * `issuer:renew` with the one that it has from then on. Rejects with `identity.issuer-unavailable` while nobody decides, else
 * with the code of the refusal.
 */
export function createMeshIssuer(parts: {
  readonly join: MeshJoin
  readonly name: AgentName
  readonly instance: InstanceDid
  readonly clock: Clock
  readonly own: () => OwnCredential
  readonly tryCall: MeshNode['tryCall']
}): Issuer {
  const { join, name, instance, clock, own, tryCall } = parts
  const admit = async (): Promise<void> => {
    const nowMs = clock.now()
    const presented = await join.admit({ instance, name, nowMs })
    own().present(presented)
  }
  const ask = async (request: Parameters<Issuer['issue']>[0]): Promise<Outcome<IssuerAnswer>> => {
    const isNew = own().isProvisional()
    if (isNew) await admit()
    const { serves, calls, nkey } = request
    const { credential, statement } = own().issued()
    const input = { serves, calls, ...(nkey === undefined ? {} : { nkey }), credential, statement }
    const capability = isNew ? issuerContract.issue : issuerContract.renew
    return tryCall(capability, input, { to: join.issuer, deadlineMs: callMs })
  }
  return {
    async issue(request) {
      const untilMs = clock.monotonic() + (own().isProvisional() ? joinPatienceMs : 0)
      for (;;) {
        const outcome = await ask(request)
        if (outcome.kind === 'ok') return outcome.output
        const code = outcome.kind === 'declined' ? 'identity.issuer-refused' : outcome.code
        if (outcome.kind === 'refused' && !undecided.has(code))
          throw new MeshError(outcome.code, `${join.issuer} gives ${name} no credential: ${outcome.reason}`)
        if (clock.monotonic() >= untilMs)
          throw new MeshError('identity.issuer-unavailable', `${join.issuer} gave no answer: ${outcome.kind} (${code})`)
        await new Promise<void>((resolve) => void clock.setTimer(resolve, retryMs))
      }
    },
  }
}
