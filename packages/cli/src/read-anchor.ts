import { createAnchors, parseAnchor, type Anchor, type Anchors } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import { readText } from './read-file.ts'

/** Reads anchors from files that owners gave. Rejects with `cli.usage`. */
export function readAnchors(paths: readonly string[]): Promise<readonly Anchor[]> {
  return Promise.all(paths.map(readAnchorFile))
}

/** Whom a command accepts, and whose persons decide besides those of a saga's owner: an anchor alone gives nobody a say. */
export async function readDeciders(
  anchor: readonly string[],
  decider: readonly string[],
): Promise<{ readonly anchors: Anchors; readonly deciders: readonly string[] }> {
  const others = await readAnchors(decider)
  const deciders = others.map(({ owner }) => owner)
  // Whoever decides may be named as an anchor as well.
  const accepted = (await readAnchors(anchor)).filter(({ owner }) => !deciders.includes(owner))
  return { anchors: createAnchors([...accepted, ...others]), deciders }
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
