import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Contract, ContractCapability } from '@parley/mesh'
import { MeshError } from '@parley/protocol'

/**
 * Imports a module (`.js`, or `.ts` where this Node strips types) and finds a capability in the contracts that it exports.
 * This runs the module's code. Rejects with `cli.usage` if it cannot be imported or has no such capability.
 */
export async function loadCapability(path: string, capability: string): Promise<ContractCapability> {
  let exported: object
  try {
    exported = (await import(pathToFileURL(resolve(path)).href)) as object
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown'
    throw new MeshError('cli.usage', `the contract module ${path} cannot be imported: ${why}`, { cause })
  }
  const capabilities = Object.values(exported)
    .filter(isContract)
    .flatMap((contract) => contract.capabilities)
  const found = capabilities.find((one) => one.capability === capability)
  if (found) return found
  const listed = capabilities.map((one) => one.capability).join(', ')
  throw new MeshError('cli.usage', `${path} exports no contract with ${capability}; it has ${listed || 'no contract'}`)
}

function isContract(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && 'capabilities' in value && Array.isArray(value.capabilities)
}
