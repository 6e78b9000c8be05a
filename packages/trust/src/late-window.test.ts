import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLateWindow, type LateItem, type LateWindow } from './late-window.ts'
import { createPeerBook, type PeerBook } from './peer-book.ts'
import { comparePlaces } from './peer-page.ts'
import { parseSight, type Sight } from './sight.ts'
import { capability, peer, rater } from './trust-lab.fixture.ts'
import { createTrustModel } from './trust-model.ts'

const [good, bad] = ['callee ok', 'callee failed'].map((text) => parseSight(text) as Sight)

function itemAt(atMs: number, seq: number, from = rater, sight = good as Sight): LateItem {
  return { atMs, rater: from, seq, capability, sight, isHearsay: false, start: 500 }
}

/** A window over a book that counts what is folded. */
function openWindow(): { readonly window: LateWindow; readonly book: PeerBook; folds(): number } {
  const book = createPeerBook(createTrustModel(), () => 0)
  let folds = 0
  const counting: PeerBook = {
    ...book,
    fold(...piece) {
      folds++
      book.fold(...piece)
    },
  }
  return { window: createLateWindow(counting, () => 500), book, folds: () => folds }
}

describe('createLateWindow', () => {
  it('folds what comes after late evidence once, however much of it came together', () => {
    const { window, folds } = openWindow()
    const known = Array.from({ length: 2_000 }, (_, at) => itemAt(10_000 + at, at + 1))
    expect(window.take(peer, known, 12_000)).toBe(2_000)
    const late = Array.from({ length: 1_000 }, (_, at) =>
      itemAt(5_000 + at, at + 1, 'did:web:other.example other/rater'),
    )
    expect(window.take(peer, late, 12_000)).toBe(1_000)
    expect(folds()).toBe(2_000 + 3_000)
  })

  it('says the same of evidence that comes in batches, in any order and twice, as of all of it in order', () => {
    const piece = fc.record({
      atMs: fc.integer({ min: 0, max: 40 }),
      from: fc.integer({ min: 0, max: 2 }),
      isBad: fc.boolean(),
    })
    const batches = fc.array(fc.array(piece, { maxLength: 12 }), { maxLength: 12 })
    fc.assert(
      fc.property(batches, (drawn) => {
        const pieces = drawn.map((batch, number) =>
          batch
            .map(({ atMs, from, isBad }, at) =>
              itemAt(atMs, number * 100 + at, `did:web:r.example r/${String(from)}`, (isBad ? bad : good) as Sight),
            )
            .toSorted(comparePlaces),
        )
        const all = pieces.flat().toSorted(comparePlaces)
        const [ordered, mixed] = [openWindow(), openWindow()]
        for (const item of all) expect(ordered.window.take(peer, [item], 40)).toBe(1)
        for (const batch of pieces) expect(mixed.window.take(peer, batch, 40)).toBe(batch.length)
        for (const batch of pieces) expect(mixed.window.take(peer, batch, 40)).toBe(0)
        const pages = [ordered, mixed].map(({ book }) => {
          const handle = book.find(peer)
          return handle === undefined ? undefined : book.page(peer, handle)
        })
        expect(pages[1]).toEqual(pages[0])
      }),
      { seed: 7, numRuns: 100 },
    )
  })
})
