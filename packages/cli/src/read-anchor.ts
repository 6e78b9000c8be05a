import { parseAnchor, type Anchor } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import { readText } from './read-file.ts'

/** Reads anchors from files that owners gave. Rejects with `cli.usage`. */
export function readAnchors(paths: readonly string[]): Promise<readonly Anchor[]> {
  return Promise.all(paths.map(readAnchorFile))
}

async function readAnchorFile(path: string): Promise<Anchor> {
  const text = await readText(path)
  try {
    return parseAnchor(JSON.parse(text))
  } catch (cause) {
    throw new MeshError('cli.usage', `${path} is not an anchor: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    })
  }
}
