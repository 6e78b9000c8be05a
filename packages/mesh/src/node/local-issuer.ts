import { createSystemClock, createSystemRandom, type Clock, type Random, type Transport } from '@parley/ports'
import { createLocalIssuer, type LocalIssuer } from '@parley/identity'
import { createMemoryBus, type MemoryBus } from '@parley/transport-memory'

/** An owner, its issuer and a bus that live and die with this process. */
export interface LocalMesh extends LocalIssuer {
  readonly bus: MemoryBus
  /** Connects a node to the bus. */
  connect(): Transport
}

/**
 * Creates everything that a first program or a test needs besides its nodes: an owner with the alias `alias`, whose keys
 * die with the process (so no other process can accept what it issued), and an in-process bus.
 */
export function localIssuer(
  alias: string,
  ports: { readonly clock?: Clock; readonly random?: Random } = {},
): LocalMesh {
  const clock = ports.clock ?? createSystemClock()
  const random = ports.random ?? createSystemRandom()
  const bus = createMemoryBus({ clock, random })
  return { ...createLocalIssuer({ alias, clock, random }), bus, connect: () => bus.connect() }
}
