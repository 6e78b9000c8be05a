import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { layerOf, testOnlyPackages } from './layers.ts'
import { packageOfImport, readSource } from './parsed-source.ts'
import { isTest, listPackages, type WorkspacePackage } from './source-tree.ts'

const packages = listPackages()
const scope = '@parley/'

/** Lists what a package imports from other packages of this repository, with where. */
function listSiblings(of: WorkspacePackage): readonly { readonly path: string; readonly target: string }[] {
  return of.sources.flatMap((path) =>
    readSource(path)
      .imports.map(packageOfImport)
      .filter((name) => name?.startsWith(scope) === true && name !== of.manifest.name)
      .map((name) => ({ path, target: name?.slice(scope.length) ?? '' })),
  )
}

describe('layers', () => {
  it('know every package', () => {
    expect(packages.filter(({ name }) => layerOf(name) === undefined).map(({ name }) => name)).toEqual([])
  })

  it.each(packages.map((item) => [item.name, item] as const))('%s imports only packages below it', (name, item) => {
    const wrong = listSiblings(item).filter(({ path, target }) => {
      if (isTest(path) && testOnlyPackages.has(target)) return false
      return (layerOf(target) ?? Infinity) >= (layerOf(name) ?? 0)
    })
    expect(wrong).toEqual([])
  })

  it.each(packages.map((item) => [item.name, item] as const))(
    '%s declares only dependencies below it',
    (name, { manifest }) => {
      const wrong = Object.keys(manifest.dependencies ?? {})
        .filter((target) => target.startsWith(scope))
        .filter((target) => (layerOf(target.slice(scope.length)) ?? Infinity) >= (layerOf(name) ?? 0))
      expect(wrong).toEqual([])
    },
  )

  it('keep suites and test meshes out of what runs', () => {
    const wrong = packages.flatMap((item) =>
      testOnlyPackages.has(item.name)
        ? []
        : listSiblings(item).filter(({ path, target }) => testOnlyPackages.has(target) && !isTest(path)),
    )
    expect(wrong).toEqual([])
  })
})

describe('files', () => {
  it.each(packages.map((item) => [item.name, item] as const))('of %s import each other without a cycle', (_, item) => {
    const imports = new Map(
      item.sources.map((path) => [
        path,
        readSource(path)
          .imports.filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => join(dirname(path), specifier)),
      ]),
    )
    expect(findCycle(imports)).toEqual([])
  })
})

/** Finds one cycle, types included; empty when there is none. */
function findCycle(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (done.has(path)) return []
    for (const next of imports.get(path) ?? []) {
      const cycle = walk(next, [...trail, path])
      if (cycle.length > 0) return cycle
    }
    done.add(path)
    return []
  }
  for (const path of imports.keys()) {
    const cycle = walk(path, [])
    if (cycle.length > 0) return cycle
  }
  return []
}

describe('findCycle', () => {
  it('names the files of a cycle and nothing else', () => {
    const cycle = new Map([
      ['start', ['a']],
      ['a', ['b', 'leaf']],
      ['b', ['c']],
      ['c', ['a']],
      ['leaf', []],
    ])
    expect(findCycle(cycle)).toEqual(['a', 'b', 'c', 'a'])
    expect(findCycle(new Map([...cycle, ['c', ['leaf']]]))).toEqual([])
  })
})
