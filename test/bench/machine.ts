import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { availableParallelism, cpus, totalmem } from 'node:os'

/** Describes where a figure comes from, one fact a line: without it no figure means anything. */
export function describeMachine(libraries: readonly string[]): readonly string[] {
  const versions = libraries.map((name) => `${name} ${readVersion(name)}`)
  return [
    `cpu       ${cpus()[0]?.model.trim() ?? 'unknown'}, ${String(availableParallelism())} cores`,
    `memory    ${String(Math.round(totalmem() / 2 ** 30))} GiB`,
    `node      ${process.version} on ${process.platform} ${process.arch}`,
    `libraries ${versions.join(', ')}`,
  ]
}

function readVersion(name: string): string {
  const path = findPackageJSON(name, import.meta.url)
  if (path === undefined) return '(not found)'
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }
  return version
}
