import type { VerifiedCredential } from '@parley/identity'
import { createManualClock } from '@parley/ports'
import type { Did } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createDirectory, type DirectoryEntry } from './directory.ts'

const entryOf = (id: string, owner: Did, announcedAtMs = 1): DirectoryEntry => ({
  credential: { instance: `did:key:z${id}`, name: `acme/${id}`, owner } as VerifiedCredential,
  serves: new Map(),
  boot: id,
  announcedAtMs,
})

describe('createDirectory', () => {
  it('lets an owner with any number of instances take no place of another', async () => {
    const clock = createManualClock()
    const directory = createDirectory(clock, 60_000, 6)
    const hoarder = 'did:key:zhoarder' as const
    for (let at = 0; at < 20; at++) {
      directory.announce(entryOf(`h${String(at)}`, hoarder))
      await clock.advance(1)
    }
    expect(directory.entries()).toHaveLength(6)
    for (const id of ['a', 'b', 'c']) directory.announce(entryOf(id, `did:key:zother-${id}`))
    const names = directory.entries().map(({ boot }) => boot)
    expect(names.toSorted()).toEqual(['a', 'b', 'c', 'h3', 'h4', 'h5'])
    directory.announce(entryOf('h20', hoarder))
    expect(directory.entries().map(({ boot }) => boot)).not.toContain('h20')
  })

  it('takes no announcement that is older than what it knows, until that has lapsed', async () => {
    const clock = createManualClock()
    const directory = createDirectory(clock, 6_000)
    const owner = 'did:key:zacme' as const
    const announce = (capability: string, announcedAtMs: number): void => {
      directory.announce({ ...entryOf('a', owner, announcedAtMs), serves: new Map([[capability, 'h']]) })
    }
    announce('shop:new', 2)
    announce('shop:old', 1)
    expect([directory.servers('shop:new').length, directory.servers('shop:old').length]).toEqual([1, 0])
    await clock.advance(6_001)
    expect(directory.entries()).toEqual([])
    announce('shop:old', 1)
    expect([directory.servers('shop:new').length, directory.servers('shop:old').length]).toEqual([0, 1])
  })
})
