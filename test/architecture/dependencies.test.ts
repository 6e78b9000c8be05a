import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageOfImport, readSource } from './parsed-source.ts'
import { isTest, listFiles, listPackages, readManifest, readText, root } from './source-tree.ts'

const packages = listPackages()
const named = packages.map((item) => [item.name, item] as const)

function listImported(paths: readonly string[]): ReadonlySet<string> {
  const names = paths.flatMap((path) =>
    readSource(path).imports.map((specifier) => packageOfImport(specifier) ?? 'node'),
  )
  return new Set(names.filter((name) => name !== 'node'))
}

/** Libraries that the root offers to every test. */
const offered = new Set(Object.keys(readManifest('.').devDependencies ?? {}))

describe('dependencies', () => {
  it.each(named)('of %s are all declared', (_, { manifest, sources }) => {
    const forRunning = new Set([...Object.keys(manifest.dependencies ?? {}), manifest.name])
    const forTests = new Set([...forRunning, ...Object.keys(manifest.devDependencies ?? {}), ...offered])
    const running = [...listImported(sources.filter((path) => !isTest(path)))].filter((name) => !forRunning.has(name))
    const testing = [...listImported(sources.filter(isTest))].filter((name) => !forTests.has(name))
    expect({ running, testing }).toEqual({ running: [], testing: [] })
  })

  it.each(named)('of %s are all used', (_, { manifest, sources }) => {
    const running = listImported(sources.filter((path) => !isTest(path)))
    const anywhere = listImported(sources)
    expect({
      dependencies: Object.keys(manifest.dependencies ?? {}).filter((name) => !running.has(name)),
      devDependencies: Object.keys(manifest.devDependencies ?? {}).filter((name) => !anywhere.has(name)),
    }).toEqual({ dependencies: [], devDependencies: [] })
  })

  it('of tests and examples are all declared', () => {
    const folders = ['test', ...listFiles('examples').flatMap(ownerFolder)].filter(unique)
    const missing = folders.flatMap((folder) => {
      const manifest = readManifest(folder)
      const known = new Set([
        ...Object.keys(manifest.dependencies ?? {}),
        ...Object.keys(manifest.devDependencies ?? {}),
        ...offered,
      ])
      const sources = listFiles(folder).filter((path) => path.endsWith('.ts'))
      return [...listImported(sources)].filter((name) => !known.has(name)).map((name) => `${folder}: ${name}`)
    })
    expect(missing).toEqual([])
  })

  it('between packages always mean the one beside them', () => {
    const ranges = packages.flatMap(({ name, manifest }) =>
      Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter(([target, range]) => target.startsWith('@parley/') && range !== 'workspace:*')
        .map(([target, range]) => `${name}: ${target}@${range}`),
    )
    expect(ranges).toEqual([])
  })
})

describe('tsconfig references', () => {
  it.each(named)('of %s are its package dependencies', (_, { folder, manifest }) => {
    const { references } = JSON.parse(readText(`${folder}/tsconfig.json`)) as {
      readonly references: readonly { readonly path: string }[]
    }
    const expected = Object.keys(manifest.dependencies ?? {})
      .filter((name) => name.startsWith('@parley/'))
      .map((name) => name.replace('@parley/', '../'))
    expect(references.map(({ path }) => path).toSorted()).toEqual(expected.toSorted())
  })
})

function ownerFolder(path: string): readonly string[] {
  const folder = path.split('/').slice(0, 2).join('/')
  return existsSync(join(root, folder, 'package.json')) ? [folder] : []
}

function unique(value: string, at: number, all: readonly string[]): boolean {
  return all.indexOf(value) === at
}
