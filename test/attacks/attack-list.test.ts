import { describe, expect, it } from 'vitest'
import { listFiles, readText } from '../architecture/source-tree.ts'
import { attackList } from './attack-list.ts'

/** The titles of tests that are named after an attack. */
function titlesIn(path: string): readonly string[] {
  return [...readText(path).matchAll(/^ +it\('([^']+)'/gm)].map(([, title = '']) => title)
}
const attackOf = (title: string): string => title.slice(0, Math.max(0, title.indexOf(': ')))

const own = listFiles('test/attacks')
  .filter((path) => path.endsWith('.test.ts') && !path.endsWith('attack-list.test.ts'))
  .flatMap(titlesIn)
const overServers = listFiles('test/nats')
  .filter((path) => path.endsWith('.test.ts'))
  .flatMap(titlesIn)
  .filter((title) => attackList.some((attack) => attack === attackOf(title)))

describe('the attack list', () => {
  it('names each attack once, and each has a test', () => {
    expect(new Set(attackList).size).toBe(attackList.length)
    const tested = new Set([...own, ...overServers].map(attackOf))
    expect(attackList.filter((attack) => !tested.has(attack))).toEqual([])
  })

  it('has every attack that is tested here, and the replays in all five ways', () => {
    expect(own.filter((title) => !attackList.some((attack) => attack === attackOf(title)))).toEqual([])
    expect(own.filter((title) => attackOf(title) === 'replayed in five ways')).toHaveLength(5)
    expect(overServers.map(attackOf)).toContain('revoked mid-session')
  })

  it('is mapped to stages in the threat model, test by test', () => {
    const [, page = ''] = readText('docs/threat-model.md').split('\n## The attack list\n')
    const [table = ''] = page.split('\n## ')
    const rows = [...table.matchAll(/^\| (.+?) \| .+ \| `([^`]+)` \|$/gm)].map(([, attack = '', title = '']) => ({
      attack,
      title,
    }))
    expect(rows.map(({ title }) => title).toSorted()).toEqual([...own, ...overServers].toSorted())
    expect(rows.filter(({ attack, title }) => attack !== attackOf(title))).toEqual([])
  })
})
