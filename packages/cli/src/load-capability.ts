import type { Contract, ContractCapability } from '@parley/mesh'
import { MeshError } from '@parley/protocol'
import { importModule } from './import-module.ts'

/** Imports a module, which runs its code, and finds a capability in the contracts that it exports. Rejects with `cli.usage`. */
export async function loadCapability(path: string, capability: string): Promise<ContractCapability> {
  const exported = await importModule(path)
  const capabilities = exported.filter(isContract).flatMap((contract) => contract.capabilities)
  const found = capabilities.find((one) => one.capability === capability)
  if (found) return found
  const listed = capabilities.map((one) => one.capability).join(', ')
  throw new MeshError('cli.usage', `${path} exports no contract with ${capability}; it has ${listed || 'no contract'}`)
}

function isContract(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && 'capabilities' in value && Array.isArray(value.capabilities)
}
