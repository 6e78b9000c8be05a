import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readManifest, readText } from '../architecture/source-tree.ts'

const readme = readText('README.md')

describe('the first program of README.md', () => {
  it('is saved where its imports resolve without an install, and where git does not see it', () => {
    const [, program = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
    const imported = [...program.matchAll(/ from '([^']+)'/g)].map(([, name = '']) => name)
    const [, place = ''] = /save it in the checkout as `([^`]+)`/.exec(readme) ?? []
    const { dependencies = {} } = readManifest(dirname(place))
    expect(imported.length).toBeGreaterThan(0)
    expect(imported.filter((name) => !(name in dependencies))).toEqual([])
    expect(readText('.gitignore').split('\n')).toContain(place)
    expect(readme).toContain(`npx -y pnpm@10 exec node ${place}`)
  })
})
