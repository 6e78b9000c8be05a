import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MeshError } from '@parley/protocol'

/**
 * Imports a module (`.js`, or `.ts` where this Node strips types) and lists what it exports. This runs its code. Rejects with
 * `cli.usage` if it cannot be imported.
 */
export async function importModule(path: string): Promise<readonly unknown[]> {
  try {
    const exported = (await import(pathToFileURL(resolve(path)).href)) as Readonly<Record<string, unknown>>
    return Object.values(exported)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MeshError('cli.usage', `the module ${path} cannot be imported: ${why}`, { cause })
  }
}
