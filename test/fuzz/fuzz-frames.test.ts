import { describe, expect, it } from 'vitest'
import { readText } from '../architecture/source-tree.ts'
import { readFrameCorpus } from './corpus.ts'
import { fuzzFrames } from './fuzz-frames.ts'
import { formatFuzzReport } from './fuzz-report.ts'
import { findGrowth, type Sample } from './growth.ts'

const corpus = readFrameCorpus(readText('protocol/vectors/frames.json'))

describe('fuzzFrames', () => {
  it('finds no crash and no acceptance, and comes as far as admit', async () => {
    const report = await fuzzFrames({ frames: 5_000, seed: 7, corpus, watchesGrowth: false })
    expect(report.problems).toEqual([])
    expect(report.signedAgain).toBeGreaterThan(2_500)
    const reached = new Map(report.reached)
    expect(reached.get('header')).toBeGreaterThan(2_500)
    for (const stage of [
      'mailbox',
      'addressed',
      'session',
      'replay',
      'delegation',
      'policy',
      'admit',
      'handshake',
      'settle',
    ])
      expect(reached.get(stage), stage).toBeGreaterThan(50)
    expect(reached.get('deliver')).toBeUndefined()
    expect(formatFuzzReport(report).at(-1)).toBe('5,000 frames: no crash, no acceptance, no growth, no quadratic time')
  })

  it('draws the same frames for the same seed', async () => {
    const [once, again] = [1, 2].map(() => fuzzFrames({ frames: 500, seed: 3, corpus, watchesGrowth: false }))
    expect((await again)?.refused).toEqual((await once)?.refused)
  })
})

describe('findGrowth', () => {
  const samples = (change: (at: number) => Partial<Sample>): readonly Sample[] =>
    Array.from({ length: 50 }, (_, at) => ({ heapBytes: 50e6, msPerFrame: 0.1, held: 1, ...change(at) }))

  it('finds memory that is not given back, and frames that take longer and longer', () => {
    expect(findGrowth(samples(() => ({})))).toEqual([])
    expect(findGrowth(samples((at) => ({ heapBytes: 50e6 + at * 4e6 }))).join()).toContain('the heap grew')
    expect(findGrowth(samples((at) => ({ msPerFrame: 0.1 + at * at * 0.1 }))).join()).toContain('a frame took')
  })

  it('takes a single slow batch for what it is', () => {
    expect(findGrowth(samples((at) => (at === 45 ? { msPerFrame: 50, heapBytes: 500e6 } : {})))).toEqual([])
  })
})
