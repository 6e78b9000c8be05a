import { findBeyondScope, isAdmission, verifyAdmission, verifyLapsedCredential, type Admission } from '@parley/identity'
import type { CredentialRequest, Issuer, Logger } from '@parley/ports'
import { allowed, isMeshError, refuse, type InstanceDid, type Refusal, type Verdict } from '@parley/protocol'
import type { HandlerReturn, Serves } from '../serving/serve.ts'
import type { Hop } from '../serving/hop.ts'
import { attest, type DoorOptions } from './create-door.ts'
import { issuerContract } from './issuer-contract.ts'
import type { ComeBack } from './come-back.ts'
import type { IssuerAnswer, IssuerRequest, ReturnGranted } from './issuer-schema.ts'

type Answer = HandlerReturn<IssuerAnswer, Record<never, never>>
type IssuerHop = Hop<Record<never, never>>

/**
 * Serves the issuer's contract. The name is the one that the hop has proven, never the body's; the instance is the one
 * that the hop has proven, or that a proven voucher and the instance itself have signed. What is asked for is held against what the attestor allowed, or against the credential that is renewed, and then against the
 * issuer's own terms.
 */
export function serveIssuer(
  options: DoorOptions & {
    readonly issuer: Issuer
    readonly comeBack: ComeBack
    readonly logger: Logger
  },
): Serves<typeof issuerContract> {
  const { issuer, anchors, attestors, clock, comeBack, owner, renewGraceMs, logger } = options

  const give = async (
    hop: IssuerHop,
    request: IssuerRequest,
    { instance, most, granted }: { instance: InstanceDid; most: Most; granted: ReturnGranted | undefined },
  ): Promise<Answer> => {
    const { name } = hop.caller
    const beyond = decideMost(request, most)
    if (beyond.kind === 'deny') return say(hop, beyond)
    const { serves, calls, nkey } = request
    const asked: CredentialRequest = { name, instance, serves, calls, ...(nkey === undefined ? {} : { nkey }) }
    try {
      const issued = await issuer.issue(asked)
      logger.info('issuer.issued', { name, instance, hop: hop.id })
      const { credential, statement, expiresAtMs, natsUser } = issued
      return {
        credential,
        statement,
        expiresAtMs,
        ...(natsUser === undefined ? {} : { natsUser }),
        ...(granted ? { comeBack: granted } : {}),
      }
    } catch (error) {
      if (!isMeshError(error)) throw error
      if (error.code === 'identity.issuer-refused') return say(hop, refuse(error.code, error.message))
      logger.error('issuer.unavailable', { name, instance, code: error.code, error: error.message })
      return hop.fail({ retryable: true })
    }
  }
  const say = (hop: IssuerHop, { code, reason }: Refusal): Answer => {
    logger.warn('issuer.refused', { name: hop.caller.name, instance: hop.caller.instance, code, reason })
    return hop.refuse(code)
  }
  return {
    async issue(request, hop) {
      const { name, instance: sender } = hop.caller
      const verdict = verifyAdmission(request.credential, { sender, nowMs: clock.now() })
      if (verdict.kind === 'deny') return say(hop, verdict)
      const { admission } = verdict
      if (admission.name !== name)
        return say(hop, refuse('identity.credential-mismatch', `the admission is for ${admission.name}`))
      const { instance } = admission
      const consented = sender === instance ? allowed : decideConsent(admission, request.consent, clock.now())
      if (consented.kind === 'deny') return say(hop, consented)
      const attested = await attest(attestors, admission, request.statement)
      if (attested.kind === 'deny') return say(hop, attested)
      const granted = await comeBack.first(admission, request)
      if (granted.kind === 'deny') return say(hop, granted)
      return give(hop, request, { instance, most: attested, granted: granted.granted })
    },
    async renew(request, hop) {
      const { name, instance } = hop.caller
      if (isAdmission(request.credential))
        return say(hop, refuse('identity.issuer-refused', 'an admission is no credential'))
      const expected = { anchors, instance, nowMs: clock.now(), graceMs: renewGraceMs }
      const verdict = verifyLapsedCredential(request, expected)
      if (verdict.kind === 'deny') return say(hop, verdict)
      const { credential } = verdict
      if (credential.name !== name || credential.owner !== owner)
        return say(hop, refuse('identity.credential-mismatch', `the credential is of ${credential.name}`))
      if (credential.agentKind === 'human')
        return say(hop, refuse('identity.issuer-refused', 'a person signs in again, nothing is renewed'))
      if (credential.nkey !== request.nkey)
        return say(hop, refuse('identity.credential-mismatch', 'the NATS user key is not that of the credential'))
      return give(hop, request, { instance, most: credential, granted: await comeBack.again(instance, request) })
    },
  }
}

/** A voucher asks in the stead of its instance: the instance has to have signed that it asks, too. */
function decideConsent(admission: Admission, consent: string | undefined, nowMs: number): Verdict {
  const { instance, name, method } = admission
  const verdict = verifyAdmission(consent ?? '', { sender: instance, nowMs })
  if (verdict.kind === 'deny') return verdict
  const signed = verdict.admission
  return signed.voucher === instance && signed.instance === instance && signed.name === name && signed.method === method
    ? allowed
    : refuse('identity.credential-mismatch', `${instance} itself did not ask to be ${name}`)
}

/** The most that may be asked for; an absent list leaves it to the issuer's own terms. */
interface Most {
  readonly serves?: readonly string[]
  readonly calls?: readonly string[]
}

function decideMost(request: IssuerRequest, most: Most): { readonly kind: 'allow' } | Refusal {
  for (const verb of ['serves', 'calls'] as const) {
    const granted = most[verb]
    if (!granted) continue
    const extra = findBeyondScope([...granted, issuerContract.renew.capability], request[verb])
    if (extra !== undefined)
      return refuse('identity.issuer-refused', `more is asked for than allowed: ${verb} ${extra}`)
  }
  return { kind: 'allow' }
}
