import type { Attestation, AttestationRequest, Attestor, Clock, KeyValue } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import { quote } from '../key/quote.ts'
import { verifyJoinGrant } from './join-grant.ts'

/** The method of join tokens. */
export const joinTokenMethod = 'join-token'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Admits whoever holds a join token that this issuer signed: the evidence is the grant, the voucher the key that the grant
 * names, the name the grant's. The first instance is written to the store before it is allowed; every other one is refused
 * with `identity.join-token-used`, also after a restart and by another process on the same store. Other codes:
 * `identity.join-token-invalid`, and those of `verifyJwt`. Rejects with what the store rejects with.
 */
export function createJoinTokenAttestor(options: {
  /** The did:key that signs the grants. */
  readonly issuer: string
  readonly keyValue: KeyValue
  readonly clock: Clock
}): Attestor {
  const { issuer, keyValue, clock } = options
  return {
    method: joinTokenMethod,
    async attest({ name, instance, voucher, evidence }: AttestationRequest): Promise<Attestation> {
      const verdict = verifyJoinGrant(evidence, { issuer, nowMs: clock.now() })
      if (verdict.kind === 'deny') return verdict
      const { grant } = verdict
      if (grant.key !== voucher) return invalid(`the join token ${grant.id} is of another key than ${quote(voucher)}`)
      if (grant.name !== name) return invalid(`the join token ${grant.id} is for ${grant.name}, not for ${quote(name)}`)
      const first = await claim(keyValue, grant.id, instance)
      if (first !== instance) {
        return { kind: 'deny', code: 'identity.join-token-used', reason: `the join token ${grant.id} was used before` }
      }
      const { id, serves, calls } = grant
      return { kind: 'allow', id, ...(serves ? { serves } : {}), ...(calls ? { calls } : {}) }
    },
  }
}

/** Writes the instance down unless another one is, and returns the one that is. */
async function claim(keyValue: KeyValue, id: string, instance: string): Promise<string> {
  const key = `issuer/join/${id}`
  try {
    const known = await keyValue.get(key)
    if (known) return decoder.decode(known.value)
    await keyValue.put(key, encoder.encode(instance), 0)
    return instance
  } catch (error) {
    if (!isMeshError(error) || error.code !== 'store.revision-conflict') throw error
    const winner = await keyValue.get(key)
    return winner ? decoder.decode(winner.value) : ''
  }
}

function invalid(reason: string): Attestation {
  return { kind: 'deny', code: 'identity.join-token-invalid', reason }
}
