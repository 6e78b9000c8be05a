import { describe, expect, it } from 'vitest'
import { createBatches, type PendingPieces } from './pending-pieces.ts'
import { parseSight, type Sight } from './sight.ts'

const ok = parseSight('callee ok') as Sight
const failed = parseSight('callee failed') as Sight

function add(batch: PendingPieces, peer: string, handle: number, sight: Sight = ok, atMs = 5): void {
  batch.add(peer, handle, 'a:b', sight, atMs, `of-${peer}`, undefined)
}

describe('createBatches', () => {
  it('gathers columns: peers, capabilities and sights once, times as what passed since', () => {
    const batch = createBatches()()
    add(batch, 'x', 7, ok, 10)
    add(batch, 'y', 3_000, failed, 12)
    add(batch, 'x', 7, failed, 12)
    expect(batch.pieces()).toEqual({
      peers: ['x', 'y'],
      capabilities: ['a:b'],
      sights: [ok, failed],
      rows: [10, 0, 0, 0, 2, 1, 0, 1, 0, 0, 0, 1],
      starts: {},
      envelopes: 'of-x of-y of-x',
    })
  })

  it('never takes one peer for another whose handle it has now, nor for one of the batch before', () => {
    const startBatch = createBatches()
    const first = startBatch()
    add(first, 'x', 1)
    add(first, 'y', 1)
    add(first, 'x', 1)
    const second = startBatch()
    add(second, 'z', 1)
    const peersOf = (batch: PendingPieces): readonly (string | undefined)[] => {
      const { peers, rows } = batch.pieces()
      return rows.flatMap((cell, at) => (at % 4 === 1 ? [peers[cell]] : []))
    }
    expect(peersOf(first)).toEqual(['x', 'y', 'x'])
    add(startBatch(), 'w', 2)
    expect(peersOf(first)).toEqual(['x', 'y', 'x'])
    expect(peersOf(second)).toEqual(['z'])
  })
})
