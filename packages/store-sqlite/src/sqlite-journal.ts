import type { DatabaseSync } from 'node:sqlite'
import type { Journal, JournalEntry } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { CommitGroup } from './commit-group.ts'
import { packEntry, unpackEntry } from './packed-entry.ts'
import { readBlob, readNumber, readText } from './sqlite-row.ts'
import type { StreamRows } from './stream-rows.ts'
import { assertStoreName } from './store-name.ts'

/** Names that are read before others get their turn of the event loop: about a millisecond. */
const namesPerTurn = 1_000

/** Creates the journal of a store whose schema exists. `endOfTurn` resolves when others had theirs. */
export function createSqliteJournal(
  db: DatabaseSync,
  group: CommitGroup,
  rows: StreamRows,
  endOfTurn: () => Promise<void>,
): Journal {
  const deleteBefore = db.prepare('DELETE FROM entry WHERE stream = ? AND position < ?')
  const insertEntry = db.prepare('INSERT INTO entry (stream, position, size, data) VALUES (?, ?, ?, ?)')
  const selectEntries = db.prepare(
    'SELECT position, size, data FROM entry WHERE stream = ? AND position >= ? ORDER BY position LIMIT ?',
  )
  // In UTF-8 no character starts with the byte FF, so it ends the range of a prefix.
  const selectNames = db.prepare(
    "SELECT name FROM stream WHERE name >= ?1 AND name < CAST(?1 || x'ff' AS TEXT) AND name > ?2 ORDER BY name LIMIT ?3",
  )

  const write = async (
    stream: string,
    expectedLast: number,
    entries: readonly Uint8Array[],
    removesBefore: boolean,
  ): Promise<number> => {
    assertStoreName(stream)
    // The caller may reuse its buffers before the group commits.
    const packed = entries.map(packEntry)
    return group.run(() => {
      const found = rows.find(stream)
      let last = found?.last ?? 0
      if (last !== expectedLast)
        throw new MeshError(
          'store.position-conflict',
          `Stream ${stream} ends at ${last}, the writer expected ${expectedLast}; read again before writing.`,
          { details: { stream, last, expectedLast } },
        )
      if (packed.length === 0) return last
      const first = removesBefore ? expectedLast + 1 : (found?.first ?? 1)
      const { id } = rows.put(stream, { first, last: last + packed.length })
      for (const { size, data } of packed) insertEntry.run(id, ++last, size, data)
      if (removesBefore) deleteBefore.run(id, first)
      return last
    })
  }
  return {
    append: (stream, expectedLast, entries) => write(stream, expectedLast, entries, false),
    compact: (stream, expectedLast, entries) => write(stream, expectedLast, entries, true),
    async read(stream, fromPosition = 1, limit = Number.MAX_SAFE_INTEGER) {
      const found = rows.find(stream)
      if (!found || limit <= 0) return []
      const first = Math.max(found.first, fromPosition)
      const entries: JournalEntry[] = selectEntries.all(found.id, first, limit).map((row) => ({
        position: readNumber(row, 'position'),
        data: unpackEntry({ size: readNumber(row, 'size'), data: readBlob(row, 'data') }),
      }))
      const expectedCount = Math.min(limit, Math.max(0, found.last - first + 1))
      if (entries.length !== expectedCount || entries.some((entry, index) => entry.position !== first + index))
        throw new MeshError('store.corrupt', `Stream ${stream} has a gap between ${first} and ${found.last}.`, {
          details: { stream },
        })
      return entries
    },
    async last(stream) {
      return rows.find(stream)?.last ?? 0
    },
    async streams(prefix) {
      const names: string[] = []
      for (let last = ''; ;) {
        const page = selectNames.all(prefix, last, namesPerTurn).map((row) => readText(row, 'name'))
        names.push(...page)
        last = page.at(-1) ?? ''
        if (page.length < namesPerTurn) return names.sort()
        await endOfTurn()
      }
    },
  }
}
