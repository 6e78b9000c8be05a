import type { Anchor, PresentedCredential } from '@parley/identity'
import type { AgentName, InstanceDid } from '@parley/protocol'

/** An issuer that lives on the mesh, and how to be let in by it. What `joinMesh` makes of a join token. */
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
}
