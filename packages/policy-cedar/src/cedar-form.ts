import { hashTexts, type PolicyForm } from '@parley/policy'
import { systemHash, type Hash } from '@parley/ports'
import { createCedarEngine } from './cedar-engine.ts'
import { readCedar } from './read-cedar.ts'

/** What `createCedarForm` takes. */
export interface CedarFormOptions {
  readonly hash?: Hash
}

/** Makes the form of `.cedar` files. */
export function createCedarForm({ hash = systemHash }: CedarFormOptions = {}): PolicyForm {
  return {
    name: 'cedar',
    accepts: ({ file }) => file.endsWith('.cedar'),
    compile({ file, text }, problems) {
      const before = problems.length
      const policies = readCedar(text, ({ offset, problem }) => {
        problems.push({ file, ...positionIn(text, offset), problem })
      })
      if (problems.length > before) return undefined
      return createCedarEngine({ name: nameOfFile(file), file, hash: hashTexts([text], 'cedar', hash), policies })
    },
  }
}

function positionIn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, offset).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

function nameOfFile(file: string): string {
  return file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1).replace(/\.cedar$/, '')
}
