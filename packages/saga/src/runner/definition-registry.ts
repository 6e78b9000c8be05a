import { MeshError } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'

/** The definitions that a process has, by name and version. */
export interface DefinitionRegistry {
  /**
   * Finds the code of a journalled saga; undefined where nobody registered its version. Throws `saga.version-conflict` when
   * the registered one has another structure.
   */
  find(of: {
    readonly name: string
    readonly version: number
    readonly fingerprint: string
  }): SagaDefinition | undefined
}

/** Registers definitions. Throws `saga.version-conflict` when one version has two structures. */
export function createDefinitionRegistry(definitions: readonly SagaDefinition[]): DefinitionRegistry {
  const byVersion = new Map<string, SagaDefinition>()
  const find: DefinitionRegistry['find'] = ({ name, version, fingerprint }) => {
    const known = byVersion.get(`${name}@${version}`)
    if (known && known.fingerprint !== fingerprint)
      throw new MeshError(
        'saga.version-conflict',
        `version ${version} of the saga "${name}" has another structure: give the changed definition a new version`,
        { details: { name, version } },
      )
    return known
  }
  for (const definition of definitions) {
    find(definition)
    byVersion.set(`${definition.name}@${definition.version}`, definition)
  }
  return { find }
}
