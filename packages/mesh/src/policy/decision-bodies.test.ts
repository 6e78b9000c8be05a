import { createManualClock, silentLogger } from '@parley/ports'
import { openSqliteStore } from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'
import { createDecisionBodies, readDecisionBody, type DecisionBodies } from './decision-bodies.ts'

const day = 86_400_000

interface Opened {
  readonly clock: ReturnType<typeof createManualClock>
  readonly bodies: DecisionBodies
  /** Which of these digests have a body. */
  kept(...digests: readonly string[]): Promise<readonly string[]>
  marks(): Promise<number>
  reopen(): DecisionBodies
}

async function open(keepMs: number): Promise<Opened> {
  const clock = createManualClock()
  const { keyValue } = await openSqliteStore({ path: ':memory:', clock })
  const reopen = (): DecisionBodies => createDecisionBodies({ keyValue, clock, logger: silentLogger, keepMs })
  return {
    clock,
    reopen,
    bodies: reopen(),
    async kept(...digests) {
      await clock.settle()
      const found = await Promise.all(digests.map((digest) => readDecisionBody(keyValue, digest)))
      return digests.filter((_, at) => found[at])
    },
    async marks() {
      return (await keyValue.list('decision-day/')).length
    },
  }
}

describe('createDecisionBodies', () => {
  it('I1: keeps a body for its time since it was read last, and takes it away on the first decision after', async () => {
    const { clock, bodies, kept, marks } = await open(7 * day)
    bodies.keep('once', { item: 'flute' })
    bodies.keep('again', [1])
    await clock.advance(5 * day)
    bodies.keep('again', [1])
    await clock.advance(2 * day)
    bodies.keep('other', 7)
    expect(await kept('once', 'again', 'other')).toEqual(['once', 'again', 'other'])
    await clock.advance(day)
    expect(await kept('once')).toEqual(['once'])
    bodies.keep('other', 7)
    expect(await kept('once', 'again', 'other')).toEqual(['again', 'other'])
    await clock.advance(30 * day)
    bodies.keep('last', 'x')
    expect(await kept('again', 'other', 'last')).toEqual(['last'])
    expect(await marks()).toBe(1)
  })

  it('I2: takes away what an earlier life kept', async () => {
    const { clock, bodies, kept, reopen } = await open(7 * day)
    bodies.keep('old', 1)
    await clock.advance(100 * day)
    reopen().keep('new', 2)
    expect(await kept('old', 'new')).toEqual(['new'])
  })

  it('keeps for ever where that is said', async () => {
    const { clock, bodies, kept } = await open(Infinity)
    bodies.keep('old', 1)
    await clock.advance(10_000 * day)
    bodies.keep('new', 2)
    expect(await kept('old', 'new')).toEqual(['old', 'new'])
  })
})
