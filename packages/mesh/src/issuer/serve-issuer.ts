import { isAdmission, findBeyondScope, verifyAdmission, verifyLapsedCredential } from '@parley/identity'
import type { CredentialRequest, Issuer, Logger } from '@parley/ports'
import { isMeshError, refuse, type Refusal } from '@parley/protocol'
import type { HandlerReturn, Serves } from '../serve.ts'
import type { Hop } from '../hop.ts'
import { attest, type DoorOptions } from './create-door.ts'
import { issuerContract } from './issuer-contract.ts'
import type { IssuerAnswer, IssuerRequest } from './issuer-schema.ts'

type Answer = HandlerReturn<IssuerAnswer, Record<never, never>>
type IssuerHop = Hop<Record<never, never>>

/**
 * Serves the issuer's contract. The name and the instance are those that the hop has proven, never the body's; what is
 * asked for is held against what the attestor allowed, or against the credential that is renewed, and then against the
 * issuer's own terms.
 */
export function serveIssuer(
  options: DoorOptions & { readonly issuer: Issuer; readonly logger: Logger },
): Serves<typeof issuerContract> {
  const { issuer, anchors, attestors, clock, owner, renewGraceMs, logger } = options

  const give = async (hop: IssuerHop, request: IssuerRequest, most: Most): Promise<Answer> => {
    const { name, instance } = hop.caller
    const beyond = decideMost(request, most)
    if (beyond.kind === 'deny') return say(hop, beyond)
    const { serves, calls, nkey } = request
    const asked: CredentialRequest = { name, instance, serves, calls, ...(nkey === undefined ? {} : { nkey }) }
    try {
      const issued = await issuer.issue(asked)
      logger.info('issuer.issued', { name, instance, hop: hop.id })
      return { credential: issued.credential, statement: issued.statement, expiresAtMs: issued.expiresAtMs }
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
      const { name, instance } = hop.caller
      const verdict = verifyAdmission(request.credential, { instance, nowMs: clock.now() })
      if (verdict.kind === 'deny') return say(hop, verdict)
      if (verdict.admission.name !== name)
        return say(hop, refuse('identity.credential-mismatch', `the admission is for ${verdict.admission.name}`))
      const attested = await attest(attestors, verdict.admission, request.statement)
      if (attested.kind === 'deny') return say(hop, attested)
      return give(hop, request, attested)
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
      return give(hop, request, credential)
    },
  }
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
