import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Loads a package of a folder that `installPeers` made. What it exports is taken at its documented word. */
export async function loadPeer<Exports>(folder: string, name: string): Promise<Exports> {
  const require = createRequire(join(folder, 'package.json'))
  return (await import(pathToFileURL(require.resolve(name)).href)) as Exports
}
