import type { ToolParameter } from './tool-parameter.ts'

/** One tool that an agent may call, and how. */
export interface ManifestTool {
  /** A word that means a capability. */
  readonly name: string
  readonly maxCallsPerMinute: number | undefined
  /** The only arguments that it takes; undefined if the manifest does not say. */
  readonly parameters: readonly ToolParameter[] | undefined
  readonly classification: 'reversible' | 'irreversible' | undefined
  readonly needsApproval: boolean
  readonly approvers: readonly string[]
  /** The highest `amount` that a call may be about. */
  readonly maxAmount: number | undefined
}

/** What one agent may call. A tool that is not listed is refused. */
export interface AgentManifest {
  /** A word that means an agent. */
  readonly agent: string
  readonly tools: readonly ManifestTool[]
  readonly deniedTools: readonly string[]
}
