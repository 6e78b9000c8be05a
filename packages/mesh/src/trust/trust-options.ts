import { MeshError, type AgentId } from '@parley/protocol'
import { createTrustModel, type TrustModel, type TrustModelOptions } from '@parley/trust'
import { readTrustModes, type TrustModeOf, type TrustModes } from './trust-mode.ts'

/** With whom a node shares evidence: the agents of its own owner, or of every owner that it accepts. */
export type EvidenceScope = 'owner' | 'mesh'

/** How a node trusts. */
export interface NodeTrustOptions {
  /** Where trust decides and where it is only observed, by capability; default `enforce`. */
  readonly mode?: TrustModes
  /**
   * Tells others what this node saw of its peers, and takes what they tell. Evidence of the own owner's agents counts like its
   * own, that of others as their word. It is signed, not secret. Default: neither tells nor takes.
   */
  readonly share?: EvidenceScope
  /** Lets blame fall on who answers for a peer: its owner's other names, and who delegated to it. Default false. */
  readonly contagion?: boolean
  /** Weights, earned ceilings and idle decay. Nodes with different models have different scores. */
  readonly model?: TrustModelOptions
  /**
   * Calls a minute that are granted to a peer, however seldom it called before. Default: what the limits of the policy in force
   * let pass; where they say nothing, its own past alone counts.
   */
  readonly grantedPerMinute?: number | ((peer: AgentId) => number | undefined)
}

/** The same with everything decided and checked. */
export interface NodeTrustConfig {
  readonly modeOf: TrustModeOf
  readonly share: EvidenceScope | undefined
  readonly contagion: boolean
  readonly model: TrustModel
  readonly grantedPerMinute: (peer: AgentId) => number | undefined
}

/** Completes options. Throws `mesh.config-invalid` for those that make no sense. */
export function resolveTrustOptions(options: NodeTrustOptions = {}): NodeTrustConfig {
  const { mode, share, contagion = false, model, grantedPerMinute } = options
  if (share !== undefined && !['owner', 'mesh'].includes(share))
    throw new MeshError('mesh.config-invalid', `share is owner or mesh, not ${JSON.stringify(share)}`)
  if (typeof grantedPerMinute === 'number' && !(grantedPerMinute > 0))
    throw new MeshError('mesh.config-invalid', 'grantedPerMinute must be above 0')
  return {
    modeOf: readTrustModes(mode),
    share,
    contagion,
    model: createTrustModel(model),
    grantedPerMinute: typeof grantedPerMinute === 'function' ? grantedPerMinute : () => grantedPerMinute,
  }
}
