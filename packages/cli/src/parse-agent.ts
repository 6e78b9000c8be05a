import { isAgentName, MeshError, type AgentName } from '@parley/protocol'

/** Reads the name of an agent from a flag. Throws `cli.usage`. */
export function parseAgent(name: string | undefined): AgentName | undefined {
  if (name === undefined || isAgentName(name)) return name
  throw new MeshError('cli.usage', `--agent ${name} is not of the form owner/agent`)
}
