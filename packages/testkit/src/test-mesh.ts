import type { ManualClock, Random } from '@parley/ports'
import type { AppendedRecord, LocalMesh, MeshNode, NodeOptions } from '@parley/mesh'

/** How a mesh in memory is set up. */
export interface TestMeshOptions {
  /** Decides every key, id and chance: the same seed gives the same bytes. Default 1. */
  readonly seed?: number
  /** The alias of the owner; default `acme`. */
  readonly alias?: string
  /** Default: a manual clock, which `TestMesh.clock` moves. */
  readonly clock?: ManualClock
}

/** What a node of the mesh differs in. Issuer, bus, clock and randomness come from the mesh unless given. */
export type TestNodeOptions = Omit<Partial<NodeOptions>, 'name'> & {
  /** Registers what serves the contracts, before the node starts. */
  readonly serve?: (node: MeshNode) => void
}

/** A whole mesh in this process: one owner, one bus, one clock, one seed. */
export interface TestMesh extends AsyncDisposable {
  readonly clock: ManualClock
  readonly random: Random
  /** The owner of the mesh: its issuer, its anchor, its delegations and its orders. */
  readonly issuer: LocalMesh
  /** What goes over the wire: tap it, or make it lose, double, delay or corrupt. */
  readonly bus: LocalMesh['bus']
  /** Creates a node, registers what it serves, and starts it. */
  node(name: string, options?: TestNodeOptions): Promise<MeshNode>
  /** The audit records of a node so far, oldest first. Let the clock settle before reading the last ones. */
  recordsOf(node: MeshNode): readonly AppendedRecord[]
  /** Cuts a node off from the bus. */
  disconnect(node: MeshNode): void
  /** Brings a node that was cut off back, and lets it hear of the others: the clock moves by some milliseconds. */
  reconnect(node: MeshNode): Promise<void>
  /** Closes every node. Idempotent. */
  close(): Promise<void>
}
