import { InvalidArgumentError } from 'commander'
import { isAgentName, type AgentName } from '@parley/protocol'

/** Reads the name of an agent. Throws commander's error, which names the option. */
export function parseName(text: string): AgentName {
  if (isAgentName(text)) return text
  throw new InvalidArgumentError('It must be of the form owner/agent.')
}
