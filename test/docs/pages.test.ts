import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseSource } from '../architecture/parsed-source.ts'
import { listFiles, listPackages, readText, root } from '../architecture/source-tree.ts'

const pages = listFiles('.').filter((path) => path.endsWith('.md'))

/** Takes fenced code out, whose brackets are no links. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

describe('pages', () => {
  it('link to files that exist', () => {
    const broken = pages.flatMap((path) =>
      [...withoutCode(readText(path)).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
        .filter((target) => {
          const [file = ''] = target.split('#')
          return !existsSync(file.startsWith('/') ? join(root, file) : join(root, dirname(path), file))
        })
        .map((target) => `${path}: ${target}`),
    )
    expect(broken).toEqual([])
  })

  it('show TypeScript that parses', () => {
    const broken = pages.flatMap((path) =>
      [...readText(path).matchAll(/^```ts\n([\s\S]*?)^```/gm)].flatMap(([, code = '']) => {
        try {
          // A snippet may await and return: it is the inside of a function, after its imports.
          const imports = code.replaceAll(/^(?!import ).*$/gm, '')
          const rest = code.replaceAll(/^import .*$/gm, '').replaceAll(/^export /gm, '')
          parseSource('snippet.ts', `${imports}\nasync function snippet() {\n${rest}\n}`)
          return []
        } catch (error) {
          return [`${path}: ${error instanceof Error ? error.message : String(error)}`]
        }
      }),
    )
    expect(broken).toEqual([])
  })

  it.each(listPackages().map(({ name }) => name))('describe the package %s in 20 to 90 lines', (name) => {
    const path = `packages/${name}/README.md`
    expect(pages).toContain(path)
    const lines = readText(path).trimEnd().split('\n')
    expect(lines[0]).toBe(`# @parley/${name}`)
    expect(lines.length).toBeGreaterThanOrEqual(20)
    expect(lines.length).toBeLessThanOrEqual(90)
  })
})
