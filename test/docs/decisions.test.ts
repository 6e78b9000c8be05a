import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listFiles, listPackages, listSources, readManifest, readText } from '../architecture/source-tree.ts'

const records = listFiles('docs/adr')

describe('docs/adr', () => {
  it('are numbered without gaps', () => {
    const numbers = records
      .map((path) => Number(/^(\d{4})-[a-z0-9-]+\.md$/.exec(basename(path))?.[1]))
      .toSorted((left, right) => left - right)
    expect(numbers).toEqual(Array.from({ length: records.length }, (_, at) => at + 1))
  })

  it.each(records)('%s has its four parts in at most 40 lines', (path) => {
    const text = readText(path)
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
    expect(headings).toEqual(['Context', 'Decision', 'Consequences', 'Enforced by'])
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
  })

  it.each(records)('%s is enforced by tests that exist', (path) => {
    const [, enforced = ''] = readText(path).split('## Enforced by')
    const named = [...enforced.matchAll(/([\w-]+\.test\.ts)/g)].map(([, name = '']) => name)
    const tests = new Set(listSources().map((source) => basename(source)))
    expect(named.filter((name) => !tests.has(name))).toEqual([])
  })

  it('give a reason for every library that is kept', () => {
    const manifests = [...listPackages().map(({ manifest }) => manifest), readManifest('.'), readManifest('test')]
    const kept = manifests.flatMap(({ dependencies, devDependencies }) =>
      Object.keys({ ...dependencies, ...devDependencies }),
    )
    const page = readText('docs/adr/0002-dependencies.md')
    const unexplained = kept.filter((name) => !/^@(?:parley|types)\//.test(name) && !page.includes(`\`${name}\``))
    expect(unexplained).toEqual([])
  })
})

describe('what packages/saga/README.md guarantees', () => {
  const page = readText('packages/saga/README.md')
  const rows =
    page
      .split('## Guaranteed')[1]
      ?.split('\n## ')[0]
      ?.match(/^\| (?!guarantee|---).*$/gm) ?? []
  const proofs = rows.map((row): [string, readonly string[]] => {
    const [, claim = '', named = ''] = row.split(/ ?\| ?/)
    return [claim, [...named.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path)]
  })

  it('is a table of claims', () => {
    expect(proofs.length).toBeGreaterThan(15)
  })

  it.each(proofs)('%s: names tests that exist', (_, named) => {
    expect(named).not.toEqual([])
    const tests = listSources().filter((path) => path.startsWith('packages/saga/src/') && path.endsWith('.test.ts'))
    for (const path of named) {
      expect(tests).toContain(`packages/saga/src/${path}`)
      expect(readText(`packages/saga/src/${path}`)).toMatch(/^ *it(?:\.each\b|\()/m)
    }
  })
})

describe('docs/threat-model.md', () => {
  it('names only tests that exist', () => {
    const cells = [...readText('docs/threat-model.md').matchAll(/\|([^|]*)\|$/gm)].map(([, cell = '']) => cell)
    const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, title = '']) => title))
    const tests = listSources()
      .filter((path) => path.endsWith('.test.ts'))
      .map(readText)
      .join('\n')
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((title) => !tests.includes(`'${title}'`))).toEqual([])
  })
})
