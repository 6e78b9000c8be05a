import {
  isAdmission,
  verifyAdmission,
  verifyLapsedCredential,
  type Admission,
  type Anchors,
  type VerifiedCredential,
} from '@parley/identity'
import type { Attestation, Attestor, Clock } from '@parley/ports'
import { errorCodes, refuse, type Did, type ErrorCode, type Refusal } from '@parley/protocol'
import type { Door } from './door.ts'
import { issuerContract } from './issuer-contract.ts'

/** How long a lapsed instance has for its renewal, in milliseconds. */
const lapsedSessionMs = 60_000

/** What the door of an issuer goes by. */
export interface DoorOptions {
  readonly owner: Did
  readonly anchors: Anchors
  readonly attestors: readonly Attestor[]
  readonly clock: Clock
  /** For how long an expired credential still opens the door to its renewal. */
  readonly renewGraceMs: number
}

/**
 * Creates the door of an issuer. An admission opens it for `issuer:issue`, if its attestor allows: to the instance, or to the
 * voucher that asks in its stead. A credential of the same owner that expired lately opens it for `issuer:renew`.
 */
export function createDoor(options: DoorOptions): Door {
  const { owner, anchors, attestors, clock, renewGraceMs } = options
  return {
    async admit(presented, sender) {
      const nowMs = clock.now()
      if (!isAdmission(presented.credential)) {
        const lapsed = verifyLapsedCredential(presented, { anchors, instance: sender, nowMs, graceMs: renewGraceMs })
        if (lapsed.kind === 'deny') return lapsed
        if (lapsed.credential.owner !== owner)
          return refuse('identity.owner-unknown', `${lapsed.credential.name} is not an agent of this issuer's owner`)
        return { kind: 'allow', credential: narrow(lapsed.credential, 'renew', nowMs + lapsedSessionMs) }
      }
      const verdict = verifyAdmission(presented.credential, { sender, nowMs })
      if (verdict.kind === 'deny') return verdict
      const { admission } = verdict
      if (anchors.ofName(admission.name)?.owner !== owner)
        return refuse('identity.name-not-owned', `${admission.name} is not a name of this issuer's owner`)
      const attested = await attest(attestors, admission, presented.statement)
      if (attested.kind === 'deny') return attested
      const newcomer: VerifiedCredential = {
        id: attested.id,
        instance: sender,
        name: admission.name,
        owner,
        issuer: admission.voucher,
        serves: [],
        calls: [],
        ceiling: 1000,
        agentKind: 'agent',
        notBeforeMs: nowMs,
        expiresAtMs: admission.expiresAtMs,
      }
      return { kind: 'allow', credential: narrow(newcomer, 'issue', admission.expiresAtMs) }
    },
  }
}

/** Asks the attestor of an admission's method. Codes: `identity.attestation-refused`, and what the attestor says. */
export async function attest(
  attestors: readonly Attestor[],
  admission: Admission,
  evidence: string,
): Promise<(Attestation & { readonly kind: 'allow' }) | Refusal> {
  const { method, name, instance, voucher } = admission
  const attestor = attestors.find((one) => one.method === method)
  if (!attestor) return refuse('identity.attestation-refused', `this issuer has no attestor for ${method}`)
  const attested = await attestor.attest({ name, instance, voucher, evidence })
  if (attested.kind === 'allow') return attested
  return refuse(readCode(attested.code), `${method}: ${attested.reason}`)
}

function narrow(credential: VerifiedCredential, operation: 'issue' | 'renew', expiresAtMs: number): VerifiedCredential {
  return { ...credential, serves: [], calls: [issuerContract[operation].capability], expiresAtMs }
}

/** An attestor is anybody's code: a code that is none of ours is told as the general one. */
function readCode(code: string): ErrorCode {
  return Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'identity.attestation-refused'
}
