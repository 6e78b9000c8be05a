import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { safeguards, type SafeguardName, type SourceEdit } from './safeguards.ts'

const root = join(import.meta.dirname, '../..')

/**
 * Cuts a safeguard out of everything that this thread loads from now on: the sources on the disk stay as they are. Call it
 * before the first import of what it concerns. Loading throws where the text to cut is not there once.
 */
export function cutSafeguard(name: SafeguardName): void {
  const edits: readonly SourceEdit[] = safeguards[name]
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const concerned = edits.filter(({ file }) => pathToFileURL(join(root, file)).href === url)
      if (concerned.length === 0 || loaded.source === undefined || loaded.source === null) return loaded
      const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
      return { ...loaded, source: applyEdits(text, concerned) }
    },
  })
}

/** Applies edits to a source. Throws unless each text stands in it exactly once. */
export function applyEdits(source: string, edits: readonly SourceEdit[]): string {
  let text = source
  for (const { file, find, put } of edits) {
    if (text.split(find).length !== 2)
      throw new Error(`${file} does not hold exactly once what is to be cut out of it: ${find}`)
    text = text.replace(find, () => put)
  }
  return text
}
