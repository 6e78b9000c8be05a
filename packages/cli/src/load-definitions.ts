import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MeshError } from '@parley/protocol'
import type { SagaDefinition } from '@parley/saga'

/** Imports a module and lists the saga definitions that it exports. This runs its code. Rejects with `cli.usage`. */
export async function loadDefinitions(path: string): Promise<readonly SagaDefinition[]> {
  let exported: object
  try {
    exported = (await import(pathToFileURL(resolve(path)).href)) as object
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown'
    throw new MeshError('cli.usage', `the module ${path} cannot be imported: ${why}`, { cause })
  }
  const found = Object.values(exported).filter(isDefinition)
  if (found.length === 0) throw new MeshError('cli.usage', `${path} exports no saga that defineSaga made`)
  return found
}

function isDefinition(value: unknown): value is SagaDefinition {
  return typeof value === 'object' && value !== null && 'fingerprint' in value && 'steps' in value && 'parts' in value
}
