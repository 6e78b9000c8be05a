import { MeshError, type AgentName } from '@parley/protocol'

/** Where something of an agent is reached: at the running agent, or in the store of a stopped node. */
export type Place = { readonly agent: AgentName } | { readonly data: string }

/** Finds the one place that flags name; undefined where they name none. Throws `cli.usage` for two. */
export function findPlace({ agent, data }: { readonly agent?: AgentName; readonly data?: string }): Place | undefined {
  if (agent !== undefined && data !== undefined) throw notOnePlace()
  if (agent !== undefined) return { agent }
  return data === undefined ? undefined : { data }
}

/** Says that a command line names no place, or two. */
export function notOnePlace(): MeshError {
  return new MeshError('cli.usage', 'give --agent, a running agent, or --data, the store of a stopped node')
}
