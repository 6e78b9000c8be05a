import type { AgentName } from '@parley/protocol'
import type { NodeParts } from '../node/node-parts.ts'

/**
 * Names the agents that serve a capability now, each once: of the node's own owner, or of the owners that `among` lists by
 * their alias, in its order.
 */
export function listProviders(
  { name, anchors, directory }: Pick<NodeParts, 'name' | 'anchors' | 'directory'>,
  capability: string,
  among?: readonly string[],
): readonly AgentName[] {
  const owners = among
    ? among.map((alias) => anchors.list.find((anchor) => anchor.alias === alias)?.owner)
    : [anchors.ofName(name)?.owner]
  const serving = directory.servers(capability)
  const names = owners.flatMap((owner) =>
    serving.filter(({ credential }) => credential.owner === owner).map(({ credential }) => credential.name),
  )
  return [...new Set(names)]
}
