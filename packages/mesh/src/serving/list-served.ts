import { MeshError } from '@parley/protocol'
import type { Contract } from '../contract/contract.ts'
import type { Served } from './served.ts'
import type { Serves, UndoableServe } from './serve.ts'

/** Pairs each capability of a contract with what serves it. Throws `mesh.config-invalid` where something is missing. */
export function listServed(contract: Contract, serves: Serves<Contract>): readonly Served[] {
  return contract.capabilities.map((capability) => {
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
    return {
      contract: capability,
      serve: (typeof serve === 'function' ? { do: serve } : serve) as Served['serve'],
    }
  })
}
