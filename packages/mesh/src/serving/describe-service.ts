import { formatInboxPattern, formatInstanceToken, type AgentName, type InstanceDid } from '@parley/protocol'
import type { NatsService } from '@parley/transport-nats'
import type { Served } from './served.ts'
import type { ServiceStats } from './service-stats.ts'

/** What the services API tells of a node is made of these. */
export interface DescribedNode {
  readonly name: AgentName
  readonly mesh: string
  readonly instance: InstanceDid
  readonly startedAtMs: number
  readonly served: ReadonlyMap<string, Served>
  readonly stats: ServiceStats
}

/** The version of the protocol that the endpoints speak; their contracts have hashes instead. */
const protocolVersion = '1.0.0'

/**
 * Describes a node for the NATS services API. Nothing of it is signed and nobody in the mesh believes it: it is for people
 * and their tools. Names are written with `-` where the API permits no other character.
 */
export function describeService({ name, mesh, instance, startedAtMs, served, stats }: DescribedNode): NatsService {
  return {
    name: toServiceName(name),
    id: formatInstanceToken(instance),
    version: protocolVersion,
    description: `${name} on the mesh ${mesh}; speaks IATP, not plain requests`,
    metadata: { agent: name, mesh, instance },
    startedAtMs,
    endpoints: Array.from(served, ([capability, { contract }]) => ({
      name: toServiceName(capability),
      subject: formatInboxPattern(mesh, instance),
      metadata: { capability, contract: contract.hash, risk: contract.risk },
      ...stats.of(capability),
    })),
  }
}

function toServiceName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_-]/g, '-')
}
