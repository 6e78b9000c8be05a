import type { Anchor, JoinLogin, KeySigner, PresentedCredential } from '@parley/identity'
import type { AgentName, InstanceDid } from '@parley/protocol'
import type { KeptSeat } from './kept-seat.ts'

/** An issuer that lives on the mesh, and how to be let in by it. What `joinMesh` and `rejoinMesh` make of a join token. */
export interface MeshJoin {
  /** The owners to accept; the issuer's own is among them. */
  readonly anchors: readonly Anchor[]
  readonly mesh: string
  /** URL of the broker. */
  readonly nats?: string
  /** The agent that serves `issuerContract`. */
  readonly issuer: AgentName
  /** Makes the admission of an instance (`credential`) and its evidence (`statement`), fresh each time. */
  admit(asked: {
    readonly instance: InstanceDid
    readonly name: AgentName
    readonly nowMs: number
  }): Promise<PresentedCredential>
  /** How to ask behind a fence, where only the key of the join token gets in, and no further than to its issuer. */
  readonly login?: JoinLogin & { readonly voucher: KeySigner }
  /** Keeps the right to come back after a restart; without it a restarted process needs another token. */
  readonly seat?: KeptSeat
}
