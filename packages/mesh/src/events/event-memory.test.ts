import { createManualClock } from '@parley/ports'
import { limits, type InstanceDid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createEventMemory, type EventMemory } from './event-memory.ts'

const first: InstanceDid = 'did:key:zFirst'
const second: InstanceDid = 'did:key:zSecond'
const lifeMs = 1_000

describe('createEventMemory', () => {
  const taking =
    (memory: EventMemory, now: () => number) =>
    (from: InstanceDid, id: string, issuedAtMs = now()): string => {
      const verdict = memory.take({ from, id, issuedAtMs, expiresAtMs: issuedAtMs + lifeMs })
      return verdict.kind === 'deny' ? verdict.code : verdict.kind
    }

  it('takes an id of a sender once', () => {
    const clock = createManualClock()
    const take = taking(createEventMemory(clock), clock.now)
    expect([take(first, 'a'), take(second, 'a'), take(first, 'b'), take(first, 'a')]).toEqual([
      'allow',
      'allow',
      'allow',
      'iatp.replayed',
    ])
  })

  it('I2: takes no copy when the wall clock goes back after its id was forgotten', async () => {
    const clock = createManualClock()
    const take = taking(createEventMemory(clock, 1), clock.now)
    const issuedAtMs = clock.now()
    expect(take(first, 'a')).toBe('allow')
    await clock.advance(lifeMs + limits.skewMs + 1)
    expect(take(first, 'b')).toBe('allow')
    clock.jump(-lifeMs - limits.skewMs - 1)
    expect(take(first, 'a', issuedAtMs)).toBe('iatp.replayed')
    expect(take(second, 'a', issuedAtMs)).toBe('iatp.replayed')
  })

  it('I3: refuses what it cannot remember, for this sender only, and for new senders beyond the bound', async () => {
    const clock = createManualClock()
    const take = taking(createEventMemory(clock, 2, 2), clock.now)
    expect([take(first, 'a'), take(first, 'b'), take(first, 'c')]).toEqual(['allow', 'allow', 'iatp.sender-limited'])
    expect([take(second, 'a'), take('did:key:zThird', 'a')]).toEqual(['allow', 'iatp.sender-limited'])
    await clock.advance(lifeMs + limits.skewMs + 1)
    expect([take('did:key:zThird', 'a'), take(first, 'c')]).toEqual(['allow', 'allow'])
  })

  it('I4: takes nothing that was issued before it started', () => {
    const clock = createManualClock()
    const take = taking(createEventMemory(clock), clock.now)
    expect(take(first, 'a', clock.now() - 1)).toBe('iatp.replayed')
  })
})
