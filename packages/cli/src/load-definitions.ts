import { MeshError } from '@parley/protocol'
import type { SagaDefinition } from '@parley/saga'
import { importModule } from './import-module.ts'

/** Imports a module, which runs its code, and lists the saga definitions that it exports. Rejects with `cli.usage`. */
export async function loadDefinitions(path: string): Promise<readonly SagaDefinition[]> {
  const found = (await importModule(path)).filter(isDefinition)
  if (found.length === 0) throw new MeshError('cli.usage', `${path} exports no saga that defineSaga made`)
  return found
}

function isDefinition(value: unknown): value is SagaDefinition {
  return typeof value === 'object' && value !== null && 'fingerprint' in value && 'steps' in value && 'parts' in value
}
