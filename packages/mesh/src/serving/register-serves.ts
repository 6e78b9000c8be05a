import { MeshError } from '@parley/protocol'
import type { Contract } from '../contract/contract.ts'
import type { NodeConfig } from '../node/node-options.ts'
import { listServed } from './list-served.ts'
import type { Served } from './served.ts'
import type { Serves } from './serve.ts'

/** Adds what serves a contract to what a node serves. Throws `mesh.config-invalid` where it does not fit the contract. */
export function registerServes(
  config: NodeConfig,
  served: Map<string, Served>,
  contract: Contract,
  serves: Serves<Contract>,
): void {
  if (!config.serves.includes(contract))
    throw new MeshError('mesh.config-invalid', `the contract ${contract.name} is not among the node's \`serves\``)
  for (const one of listServed(contract, serves)) served.set(one.contract.capability, one)
}
