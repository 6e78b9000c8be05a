import { describe, expect, it } from 'vitest'
import { createOverlap } from './overlap.ts'

const [leaving, coming] = [{}, {}]

describe('createOverlap', () => {
  it('admits each unit once, whichever side is first', () => {
    const overlap = createOverlap(leaving)
    const unit = Uint8Array.of(1)
    expect([overlap.admits(leaving, 's', unit), overlap.admits(coming, 's', unit)]).toEqual([true, false])
    expect([overlap.admits(coming, 's', unit), overlap.admits(leaving, 's', unit)]).toEqual([true, false])
  })

  it('admits what was published twice twice, and tells subjects and bytes apart', () => {
    const overlap = createOverlap(leaving)
    const sides = [leaving, leaving, coming, coming].map((side) => overlap.admits(side, 's', Uint8Array.of(1)))
    expect(sides).toEqual([true, true, false, false])
    expect(overlap.admits(coming, 't', Uint8Array.of(1))).toBe(true)
    expect(overlap.admits(coming, 's', Uint8Array.of(2))).toBe(true)
  })

  it('admits what only one side was given', () => {
    const overlap = createOverlap(leaving)
    expect(overlap.admits(coming, 's', Uint8Array.of(1))).toBe(true)
    expect(overlap.admits(coming, 's', Uint8Array.of(1))).toBe(true)
  })
})
