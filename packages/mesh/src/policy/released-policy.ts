import type { Clock, KeyValue } from '@parley/ports'
import { isMeshError, MeshError, type AgentName, type Did } from '@parley/protocol'
import { verifyPolicyRelease, type Anchors } from '@parley/identity'

/** Who released the policy in force, and as which number. */
export interface PolicyReleaseFacts {
  readonly releasedBy: Did
  readonly release: number
}

/**
 * Lets a policy in only if its owner released it for this agent, and never one of a lower number than was let in before.
 *
 * I1 The number is durable before the policy is in force, by compare-and-swap: of two processes that share a store and load
 *    two releases, none ends on the lower one without having been refused.
 * I2 One number has one policy.
 */
export interface PolicyGate {
  /** Rejects with `policy.not-signed`, `policy.outdated`, or the code of a release that does not hold. */
  admit(policyHash: string, release: string | undefined): Promise<PolicyReleaseFacts>
}

/** What a gate is made of. */
export interface PolicyGateParts {
  readonly owner: Did
  readonly agent: AgentName
  readonly mesh: string
  readonly anchors: Anchors
  readonly clock: Clock
  readonly keyValue: KeyValue
}

interface LastRelease {
  readonly number: number
  readonly policy: string
}

/** Creates the gate of one agent, whose policies this owner releases. */
export function createPolicyGate(parts: PolicyGateParts): PolicyGate {
  const { owner, agent, mesh, anchors, clock, keyValue } = parts
  const key = `policy-release/${mesh}/${agent}`
  return {
    async admit(policyHash, token) {
      if (token === undefined) throw new MeshError('policy.not-signed', `${agent} takes only what ${owner} released`)
      const verdict = verifyPolicyRelease(token, { owner, agent, anchors, nowMs: clock.now() })
      if (verdict.kind === 'deny') throw new MeshError(verdict.code, verdict.reason)
      const { number, policy } = verdict.release
      if (policy !== policyHash)
        throw new MeshError('policy.not-signed', `the release is of the policy ${policy}, this one is ${policyHash}`)
      const entry = await keyValue.get(key)
      const last = entry && readLast(entry.value)
      if (entry && !last) throw new MeshError('store.corrupt', `${key} holds no release`)
      if (last && (number < last.number || (number === last.number && policy !== last.policy)))
        throw new MeshError(
          'policy.outdated',
          `release ${String(number)} of ${policy} comes after release ${String(last.number)} of ${last.policy}`,
        )
      const bytes = new TextEncoder().encode(JSON.stringify({ number, policy } satisfies LastRelease))
      if (number !== last?.number) await put(bytes, entry?.revision ?? 0)
      return { releasedBy: owner, release: number }
    },
  }

  async function put(bytes: Uint8Array, expectedRevision: number): Promise<void> {
    try {
      await keyValue.put(key, bytes, expectedRevision)
    } catch (error) {
      if (!isMeshError(error) || error.code !== 'store.revision-conflict') throw error
      throw new MeshError('policy.outdated', 'another process let another release in meanwhile; load it again', {
        cause: error,
      })
    }
  }
}

function readLast(bytes: Uint8Array): LastRelease | undefined {
  try {
    const { number, policy } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<LastRelease>
    return typeof number === 'number' && typeof policy === 'string' ? { number, policy } : undefined
  } catch {
    return undefined
  }
}
