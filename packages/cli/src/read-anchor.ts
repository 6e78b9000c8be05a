import { parseAnchor, type Anchor } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import { readText } from './read-text.ts'

/** Reads an anchor from a file that an owner gave. Rejects with `cli.usage`. */
export async function readAnchor(path: string): Promise<Anchor> {
  const text = await readText(path)
  try {
    return parseAnchor(JSON.parse(text))
  } catch (cause) {
    throw new MeshError('cli.usage', `${path} is not an anchor: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    })
  }
}
