import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openFileIssuer, parseAnchor, type Anchor, type OwnerIssuer } from '@parley/identity'
import { createSystemClock, createSystemRandom } from '@parley/ports'

/** Opens the issuer of an owner whose folder this process may read. */
export function openOwner(folder: string, alias: string): Promise<OwnerIssuer> {
  return openFileIssuer({ dir: join(folder, alias), clock: createSystemClock(), random: createSystemRandom() })
}

/** Reads the public half of an owner: who it is, and which names it may vouch for. */
export async function readAnchor(folder: string, alias: string): Promise<Anchor> {
  return parseAnchor(JSON.parse(await readFile(join(folder, alias, 'anchor.json'), 'utf8')))
}
