import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** Collects every module that a source file needs at run time, following the files of this package. */
function collectImports(url: URL, found: Set<string> = new Set()): ReadonlySet<string> {
  const source = readFileSync(url, 'utf8')
  for (const [, from = ''] of source.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gms)) {
    const target = from.startsWith('.') ? new URL(from, url).href : from
    if (found.has(target)) continue
    found.add(target)
    if (from.startsWith('.')) collectImports(new URL(from, url), found)
  }
  return found
}

describe('portable', () => {
  it('needs nothing but the curve and the protocol at run time', () => {
    const modules = [...collectImports(new URL('portable.ts', import.meta.url))]
    expect(modules.filter((name) => !name.startsWith('file:')).toSorted()).toEqual([
      '@noble/ed25519',
      '@parley/protocol',
    ])
    expect(modules.length).toBeGreaterThan(6)
  })
})
