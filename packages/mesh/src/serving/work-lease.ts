import { limits, MeshError, type EnvelopeHeader } from '@parley/protocol'
import { sealOverheadBytes } from '../session/body-keys.ts'
import type { ContractCapability } from '../contract/contract.ts'
import type { NodeParts } from '../node/node-parts.ts'
import { checkSchema } from '../contract/schema.ts'
import { nextCounter, type Session } from '../session/session.ts'
import { formatJson } from './json-body.ts'
import type { Stopping } from '../node/stopping.ts'

/** Long enough for work that reports now and then, short enough to notice that nobody works any more. */
const defaultLeaseMs = 30_000

/** What a handler of long work tells its caller on the way: that it took the work on, and how far it is. */
export interface WorkLease {
  /** Takes the work on: from now on the lease counts, and no longer the caller's deadline. Renews it when called again. */
  accept(leaseMs?: number): void
  /** Tells how far the work is, and renews the lease. Rejects with `contract.output-invalid` for what does not fit. */
  progress(value: unknown): Promise<void>
  /** The call has ended: what a handler still says is told to nobody. */
  end(): void
}

/**
 * Creates the lease of one request. `renew` is told each time how long the caller now waits. A lease that lapses ends the
 * call as unknown on both sides. Only capabilities with a `progress` schema are long work; others throw `contract.invalid`.
 */
export function createWorkLease(
  parts: NodeParts,
  request: {
    readonly header: EnvelopeHeader
    readonly session: Session
    readonly leaf: string
    readonly contract: ContractCapability
    readonly stopping: Stopping
    readonly renew: (leaseMs: number) => void
  },
): WorkLease {
  const { header, session, leaf, contract, stopping, renew } = request
  const keys = header.sealed === true ? session.keys : undefined
  const maxBytes = parts.maxBodyBytes - (keys ? sealOverheadBytes : 0)
  let leaseMs: number | undefined
  let hasEnded = false
  const isOver = (): boolean => hasEnded || stopping.isAborted()

  const tell = (type: 'accepted' | 'progress', body: Uint8Array): void => {
    const lease = leaseMs ?? defaultLeaseMs
    renew(lease)
    const issuedAtMs = parts.clock.now()
    const sealed = parts.sealer.seal(
      {
        type,
        to: header.from,
        issuedAtMs,
        expiresAtMs: issuedAtMs + Math.min(limits.lifetimeMs, Math.max(1_000, lease)),
        contentType: 'application/json',
        session: session.id,
        counter: nextCounter(session),
        leaseMs: lease,
        inReplyTo: leaf,
      },
      body,
      keys,
    )
    void parts.sealer.send(sealed).then((sent) => {
      // The next one renews as well; should none arrive, the lease lapses at the caller.
      if (sent.kind === 'deny') parts.logger.warn('hop.answer-lost', { hop: header.id, type, code: sent.code })
    })
  }
  const accept = (askedMs?: number): void => {
    if (!contract.progress)
      throw new MeshError('contract.invalid', `${contract.capability} is no long work: give its contract a progress`)
    if (isOver()) return
    const asked = askedMs ?? leaseMs ?? defaultLeaseMs
    if (!(asked >= 1)) throw new MeshError('contract.invalid', `a lease of ${String(asked)} ms is none`)
    leaseMs = Math.min(Math.floor(asked), limits.leaseMs)
    tell('accepted', new Uint8Array())
  }
  return {
    accept,
    async progress(value) {
      if (leaseMs === undefined) accept()
      const schema = contract.progress
      const checked = schema && (await checkSchema(schema, value))
      const text = checked?.kind === 'valid' ? formatJson(checked.value) : undefined
      const body = new TextEncoder().encode(text)
      if (text === undefined || body.length > maxBytes)
        throw new MeshError(
          'contract.output-invalid',
          `the progress of ${contract.capability} cannot be told: ${checked?.kind === 'invalid' ? checked.problems : 'it has no JSON form, or is too large'}`,
        )
      if (!isOver()) tell('progress', body)
    },
    end() {
      hasEnded = true
    },
  }
}
