import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createCatchUp } from './catch-up.ts'

const [first, second, third] = ['did:key:z1', 'did:key:z2', 'did:key:z3'] as const

function open() {
  const clock = createManualClock()
  const gate = createCatchUp(clock)
  gate.restart()
  return { clock, gate, isOpen: () => gate.pending() === undefined }
}

describe('createCatchUp', () => {
  it('is open before the node was away', () => {
    expect(createCatchUp(createManualClock()).pending()).toBeUndefined()
  })

  it('opens at the word of two peers, not at two words of one', () => {
    const { gate, isOpen } = open()
    gate.heard(first, false)
    gate.heard(first, false)
    expect(isOpen()).toBe(false)
    gate.heard(second, false)
    expect(isOpen()).toBe(true)
  })

  it('opens at the word of one that stays alone for 25 ms', async () => {
    const { clock, gate, isOpen } = open()
    gate.heard(first, false)
    await clock.advance(24)
    expect(isOpen()).toBe(false)
    await clock.advance(1)
    expect(isOpen()).toBe(true)
  })

  it('waits for all that are ahead, however many are not', async () => {
    const { clock, gate, isOpen } = open()
    gate.heard(first, true)
    gate.heard(second, true)
    gate.heard(third, false)
    await clock.advance(25)
    gate.told(first)
    gate.heard(first, true)
    expect(isOpen()).toBe(false)
    gate.told(second)
    expect(isOpen()).toBe(true)
  })

  it('waits no longer than a second, and lets all who wait go on', async () => {
    const { clock, gate, isOpen } = open()
    const waiting = gate.pending()
    gate.heard(first, true)
    await clock.advance(999)
    expect(isOpen()).toBe(false)
    await clock.advance(1)
    expect(isOpen()).toBe(true)
    await waiting
  })

  it('begins anew when the node was away again, and lets go at its end', async () => {
    const { clock, gate, isOpen } = open()
    gate.heard(first, false)
    await clock.advance(20)
    gate.restart()
    await clock.advance(20)
    expect(isOpen()).toBe(false)
    gate.heard(second, false)
    expect(isOpen()).toBe(false)
    gate.stop()
    expect(isOpen()).toBe(true)
  })
})
