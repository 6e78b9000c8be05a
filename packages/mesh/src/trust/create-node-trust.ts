import type { Signer } from '@parley/ports'
import { formatAgentId, MeshError, refuse, type AgentName, type Refusal, type Verdict } from '@parley/protocol'
import { signAttestation, verifyAttestation } from '@parley/identity'
import type { TrustLedger } from '@parley/trust'
import type { NodeParts } from '../node/node-parts.ts'
import type { NodeTrust } from './node-trust.ts'

/** Creates what an operator has of a node's trust. */
export function createNodeTrust(active: () => NodeParts | undefined, signer: Signer): NodeTrust {
  const started = (): NodeParts => {
    const parts = active()
    if (!parts) throw new MeshError('mesh.not-started', 'the node is not started: start it before it is asked of trust')
    return parts
  }
  /** Brings an agent into memory, lets it be decided about, and waits until that is durable. */
  const decide = async (
    name: AgentName,
    act: (ledger: TrustLedger, peer: string, nowMs: number) => Verdict,
  ): Promise<Verdict> => {
    const { trust, clock, resolve } = started()
    const agent = resolve(name)
    if (!agent) return refuseUnknown(name)
    const peer = formatAgentId(agent)
    await trust.enter(peer)
    const verdict = act(trust, peer, clock.now())
    if (verdict.kind === 'allow') await trust.flush()
    return verdict
  }
  const pinUntil = async (
    name: AgentName,
    event: 'pinned' | 'unpinned',
    score: number,
    reason: string,
    forMs: number,
  ) =>
    decide(name, (ledger, peer, nowMs) => {
      const untilMs = nowMs + forMs
      const verdict = ledger.pin(peer, score, { reason, untilMs })
      if (verdict.kind === 'allow') started().note({ kind: 'trust', event, peer, score, reason, untilMs })
      return verdict
    })
  return {
    async explain(name) {
      const parts = active()
      const agent = parts?.resolve(name)
      if (!parts || !agent) return undefined
      const peer = formatAgentId(agent)
      await parts.trust.enter(peer)
      return parts.trust.explain(peer)
    },
    pin: (name, score, { reason, forMs }) => pinUntil(name, 'pinned', score, reason, forMs),
    unpin: (name, { reason }) => pinUntil(name, 'unpinned', 0, reason, 0),
    quarantine: (name, { reason, forMs }) =>
      decide(name, (ledger, peer, nowMs) => ledger.quarantine(peer, { reason, untilMs: nowMs + forMs })),
    release: (name, { reason }) =>
      decide(name, (ledger, peer, nowMs) => ledger.quarantine(peer, { reason, untilMs: nowMs })),
    async attest(name, { forMs, score: given }) {
      const { trust, clock, resolve, issued, ownCredential, note } = started()
      const about = resolve(name)
      if (!about) return refuseUnknown(name)
      if (about.owner === ownCredential().owner)
        return refuse('trust.attestation-refused', 'an agent has no word about names of its own owner')
      const peer = formatAgentId(about)
      await trust.enter(peer)
      const score = given ?? trust.view(peer).score
      const issuedAtMs = clock.now()
      const expiresAtMs = issuedAtMs + forMs
      if (!isWord(score, forMs))
        return refuse('trust.attestation-refused', 'an attestation needs a score from 0 to 1000 and a second to live')
      const token = await signAttestation({ signer, ...issued() }, { about, score, issuedAtMs, expiresAtMs })
      note({ kind: 'trust', event: 'attested', peer, score, untilMs: expiresAtMs })
      return { kind: 'allow', token }
    },
    async take(token) {
      const { trust, anchors, clock, note } = started()
      const verdict = verifyAttestation(token, { anchors, nowMs: clock.now() })
      if (verdict.kind === 'deny') return verdict
      const { rater, about, score, issuedAtMs, expiresAtMs } = verdict.attestation
      const peer = formatAgentId(about)
      await trust.enter(peer)
      const taken = trust.attest({ rater: formatAgentId(rater), peer, score, issuedAtMs, expiresAtMs, token })
      if (taken.kind === 'deny') return taken
      note({ kind: 'trust', event: 'attestation-taken', peer, rater: rater.name, score, untilMs: expiresAtMs })
      await trust.flush()
      return taken
    },
  }
}

function refuseUnknown(name: AgentName): Refusal {
  return refuse('trust.peer-unknown', `no anchor of this node covers ${name}`)
}

function isWord(score: number, forMs: number): boolean {
  return score >= 0 && score <= 1000 && forMs >= 1_000
}
