import { describe, expect, it } from 'vitest'
import { listFiles, readText } from './source-tree.ts'

const binary = /\.(?:png|jpg|gif|ico|woff2?|wasm|gz|tgz|db|bin)$/
const texts = listFiles('.').filter((path) => !binary.test(path))

interface Forbidden {
  readonly what: string
  readonly pattern: RegExp
  readonly sample: string
}

// The patterns are written so that they do not match themselves.
const forbidden: readonly Forbidden[] = [
  {
    what: 'a folder outside of the repository',
    pattern: /(?<![\w-])\.\.\/shared\/|\bshared\/design\b/,
    sample: '../shared' + '/x',
  },
  {
    what: 'a path of one machine',
    pattern: /(?<![\w.:/@-])\/(?:work|root|Users|home\/[a-z][\w-]*)\//,
    sample: ' /work' + '/main/',
  },
  {
    // Names below .example are nobody's (RFC 2606).
    what: 'a registry by its host',
    pattern: /https?:\/\/(?:[\w.-]+\.)?(?:registry|artifactory|nexus|verdaccio|mirror)[\w-]*\.(?!example\b)[\w.-]+/,
    sample: 'https://registry' + '.npm.invalid/x',
  },
]

describe.each(forbidden)('no file names $what', ({ pattern, sample }) => {
  it('in the whole tree', () => {
    const found = texts.flatMap((path) =>
      readText(path)
        .split('\n')
        .flatMap((line, at) => (pattern.test(line) ? [`${path}:${String(at + 1)} ${line.trim().slice(0, 120)}`] : [])),
    )
    expect(found).toEqual([])
  })

  it('which is found where it is', () => {
    expect(pattern.test(sample)).toBe(true)
  })
})
