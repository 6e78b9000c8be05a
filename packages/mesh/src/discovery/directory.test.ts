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
})
