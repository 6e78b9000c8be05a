import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSource } from './parsed-source.ts'
import { listPackages, listSources, readText } from './source-tree.ts'

const sources = listSources()
const packages = listPackages()
const maxLines = 350

/** Files that a program writes. */
const generated: ReadonlySet<string> = new Set(['packages/protocol/src/error-codes.ts'])

/** Names that say nothing about what is inside. */
const vagueName = /^(?:utils?|helpers?|common|misc|shared|types|stuff|lib)(?:\.test)?\.ts$/
const plainName = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|fixture|config))?\.ts$/

describe('files', () => {
  it('have kebab-case names', () => {
    expect(sources.filter((path) => !plainName.test(basename(path)))).toEqual([])
  })

  it('have names that say what is inside', () => {
    expect(sources.filter((path) => vagueName.test(basename(path)))).toEqual([])
  })

  it('stand in folders with names that say what is inside', () => {
    const vague = sources.filter((path) => path.split('/').some((part) => vagueName.test(`${part}.ts`)))
    expect(vague.filter((path) => !path.includes('/lib/'))).toEqual([])
  })

  it(`have at most ${String(maxLines)} lines`, () => {
    const long = sources
      .filter((path) => !generated.has(path))
      .map((path) => ({ path, lines: readText(path).split('\n').length }))
      .filter(({ lines }) => lines > maxLines)
    expect(long).toEqual([])
  })

  it('of a package import its parts, never its index', () => {
    const wrong = packages.flatMap(({ folder, sources: files }) =>
      files.filter((path) =>
        readSource(path).imports.some(
          (specifier) => specifier.startsWith('.') && join(dirname(path), specifier) === `${folder}/src/index.ts`,
        ),
      ),
    )
    expect(wrong).toEqual([])
  })

  it('of a package import nothing of another package but what it exports', () => {
    const exported = new Set(
      packages.flatMap(({ folder }) => {
        const { name, exports = {} } = JSON.parse(readText(`${folder}/package.json`)) as {
          readonly name: string
          readonly exports?: Readonly<Record<string, unknown>>
        }
        return Object.keys(exports).map((entry) => join(name, entry))
      }),
    )
    const wrong = sources.flatMap((path) =>
      readSource(path)
        .imports.filter(
          (specifier) => (/^@parley\/[^/]+\//.test(specifier) && !exported.has(specifier)) || escapes(path, specifier),
        )
        .map((specifier) => `${path}: ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  it('export nothing by default, but where a tool asks for it', () => {
    const allowed = /^test\/reporter\/(?:closing-line\.ts|fixtures\/vitest\.config\.ts)$/
    const wrong = sources.filter(
      (path) =>
        !allowed.test(path) && readSource(path).program.body.some(({ type }) => type === 'ExportDefaultDeclaration'),
    )
    expect(wrong).toEqual([])
  })
})

describe('packages', () => {
  it.each(packages.map(({ name, manifest, sources: files }) => [name, manifest, files] as const))(
    '%s has a readable front: an index and a name of its own',
    (name, manifest, files) => {
      expect(manifest.name).toBe(`@parley/${name}`)
      expect(files).toContain(`packages/${name}/src/index.ts`)
    },
  )
})

describe('ports', () => {
  it('keep an interface and its implementations in different files', () => {
    const files = sources.filter((path) => path.startsWith('packages/ports/src/') && !path.endsWith('.test.ts'))
    const mixed = files.filter((path) => {
      const { program, imports } = readSource(path)
      const declared = program.body.flatMap((statement) =>
        statement.type === 'ExportNamedDeclaration' && statement.declaration ? [statement.declaration.type] : [],
      )
      const hasInterface = declared.includes('TSInterfaceDeclaration')
      const hasValue = declared.includes('FunctionDeclaration') || declared.includes('VariableDeclaration')
      // An implementation may export the interface that widens its seam, which it imports.
      return hasInterface && hasValue && !imports.some((specifier) => specifier.startsWith('./'))
    })
    expect(mixed).toEqual([])
  })
})

/** Tells whether a relative import leaves the package that it stands in. */
function escapes(path: string, specifier: string): boolean {
  if (!path.startsWith('packages/') || !specifier.startsWith('.')) return false
  const [, name] = path.split('/')
  return !join(dirname(path), specifier).startsWith(`packages/${name ?? ''}/`)
}
