import { createManualClock } from '@parley/ports'
import type { InstanceDid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createAheadPeers } from './ahead-peers.ts'

const peers = Array.from({ length: 10 }, (_, at): InstanceDid => `did:key:z${String(at)}`)

const owner = 'did:key:zOwner'

function open() {
  const clock = createManualClock()
  const asked: string[] = []
  const held = { sequence: 0 }
  const ahead = createAheadPeers(
    clock,
    ({ acme = 0 }) => acme > held.sequence,
    (peer) => asked.push(peer),
  )
  return { clock, ahead, asked, held }
}

describe('createAheadPeers', () => {
  it('I1: asks four of many, and nobody else once these have told what all hold', async () => {
    const { clock, ahead, asked, held } = open()
    for (const peer of peers) expect(ahead.heard(peer, owner, { acme: 7 })).toBe(true)
    expect(asked).toEqual(peers.slice(0, 4))
    held.sequence = 7
    expect(new Set(ahead.told('did:key:z2'))).toEqual(new Set(peers))
    await clock.advance(1_000)
    expect(asked).toHaveLength(4)
    expect(ahead.heard('did:key:z5', owner, { acme: 7 })).toBe(false)
  })

  it('I2: asks the others too while those that were asked do not answer, or tell too little', async () => {
    const { clock, ahead, asked, held } = open()
    for (const peer of peers) ahead.heard(peer, owner, { acme: 7 })
    held.sequence = 3
    expect(ahead.told('did:key:z0')).toEqual(['did:key:z0'])
    await clock.advance(100)
    expect(asked).toEqual(peers.slice(0, 8))
    await clock.advance(100)
    expect(asked).toEqual(peers)
    ahead.heard('did:key:z1', owner, { acme: 8 })
    await clock.advance(100)
    expect(asked.at(-1)).toBe('did:key:z1')
  })

  it('asks nobody after it was stopped', async () => {
    const { clock, ahead, asked } = open()
    for (const peer of peers) ahead.heard(peer, owner, { acme: 7 })
    ahead.stop()
    ahead.heard('did:key:z5', owner, { acme: 8 })
    await clock.advance(1_000)
    expect(asked).toHaveLength(4)
  })

  it('I2: lets no owner with any number of instances keep another from being asked', async () => {
    const { clock, ahead, asked } = open()
    const crowd = Array.from({ length: 1_100 }, (_, at): InstanceDid => `did:key:zcrowd${String(at)}`)
    for (const peer of crowd.slice(0, 5)) ahead.heard(peer, 'did:key:zCrowd', { acme: 9 })
    ahead.heard('did:key:zhonest', 'did:key:zHonest', { acme: 3 })
    for (const peer of crowd) ahead.heard(peer, 'did:key:zCrowd', { acme: 9 })
    await clock.advance(100)
    expect(asked).toContain('did:key:zhonest')
  })
})
