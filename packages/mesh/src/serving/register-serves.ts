import { MeshError } from '@parley/protocol'
import type { Contract } from '../contract/contract.ts'
import type { NodeConfig } from '../node/node-options.ts'
import type { Served } from './served.ts'
import type { Serves, UndoableServe } from './serve.ts'

/** Adds what serves a contract to what a node serves. Throws `mesh.config-invalid` where it does not fit the contract. */
export function registerServes(
  config: NodeConfig,
  served: Map<string, Served>,
  contract: Contract,
  serves: Serves<Contract>,
): void {
  if (!config.serves.includes(contract))
    throw new MeshError('mesh.config-invalid', `the contract ${contract.name} is not among the node's \`serves\``)
  for (const capability of contract.capabilities) {
    const operation = capability.capability.slice(contract.name.length + 1)
    // What every object has, `constructor` for one, serves nothing.
    const serve = Object.hasOwn(serves, operation)
      ? (serves as Readonly<Record<string, unknown>>)[operation]
      : undefined
    if (
      typeof serve !== 'function' &&
      typeof (serve as UndoableServe<unknown, unknown, never> | undefined)?.do !== 'function'
    )
      throw new MeshError('mesh.config-invalid', `nothing is given that serves ${capability.capability}`)
    served.set(capability.capability, {
      contract: capability,
      serve: (typeof serve === 'function' ? { do: serve } : serve) as Served['serve'],
    })
  }
}
