import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** The root of the repository. */
export const root: string = join(import.meta.dirname, '../..')

/** In a worktree `.git` is a file. */
const skipped: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', '.turbo', '.parley', 'coverage'])

/** Lists the files below a folder of the repository, as paths from its root with `/`. */
export function listFiles(folder: string): readonly string[] {
  const start = join(root, folder)
  if (!existsSync(start)) return []
  return readdirSync(start, { withFileTypes: true, recursive: false }).flatMap((entry) => {
    const path = join(start, entry.name)
    if (skipped.has(entry.name)) return []
    if (entry.isDirectory()) return listFiles(relative(root, path))
    return entry.isFile() && !entry.name.endsWith('.tsbuildinfo') ? [relative(root, path).replaceAll('\\', '/')] : []
  })
}

/** Lists the TypeScript files of the whole repository. */
export function listSources(): readonly string[] {
  return [...listFiles('packages'), ...listFiles('examples'), ...listFiles('test'), ...listFiles('protocol')].filter(
    (path) => path.endsWith('.ts'),
  )
}

/** Reads a file of the repository as text. */
export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** What this repository's package.json files say. */
export interface PackageManifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Reads the package.json of a folder. */
export function readManifest(folder: string): PackageManifest {
  return JSON.parse(readText(join(folder, 'package.json'))) as PackageManifest
}

/** One package below packages/. */
export interface WorkspacePackage {
  /** Its folder name, which is its name without the scope. */
  readonly name: string
  readonly folder: string
  readonly manifest: PackageManifest
  /** Its TypeScript files, tests included. */
  readonly sources: readonly string[]
}

/** Lists the packages below packages/. */
export function listPackages(): readonly WorkspacePackage[] {
  return readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, 'packages', entry.name, 'package.json')))
    .map(({ name }) => {
      const folder = `packages/${name}`
      const sources = listFiles(folder).filter((path) => path.endsWith('.ts'))
      return { name, folder, manifest: readManifest(folder), sources }
    })
}

/** Tells whether a file is a test, or only serves tests. */
export function isTest(path: string): boolean {
  return /\.(?:test|fixture)\.ts$/.test(path) || path.startsWith('test/') || path.includes('/bench/')
}
