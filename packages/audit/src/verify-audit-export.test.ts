import { systemHash } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatAuditLine } from './audit-line.ts'
import { formatAuditRecord, firstPrev } from './audit-record.ts'
import { encodeBase64 } from './base64.ts'
import { verifyAuditExport } from './verify-audit-export.ts'
import {
  dids,
  pick,
  signerOf,
  verify,
  origin,
  utf8,
  writeLog,
  seal,
  isRecordLine,
  indexOfRecord,
  check,
  firstBad,
  textOf,
  forge,
  logs,
} from './audit-export.fixture.ts'

describe('verifyAuditExport', () => {
  it('accepts every log that was not touched', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ count, seals }) => {
        const verdict = check(await writeLog(count, seals), { expectedOrigin: origin, expectedSize: count })
        expect(verdict).toMatchObject({
          kind: 'ok',
          records: count,
          checkpoints: seals.size,
          unsigned: 0,
          isClosed: false,
        })
      }),
      { numRuns: 50 },
    )
  })

  it('names the record of which one byte was changed', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ count, seals, seq, byte, mask }) => {
        const lines = await writeLog(count, seals)
        const index = indexOfRecord(lines, seq)
        const bytes = Buffer.from(pick(lines, index))
        const where = byte % bytes.length
        bytes[where] = pick([...bytes], where) ^ mask
        // A line feed makes two lines of one, which the test below covers.
        fc.pre(bytes[where] !== 0x0a)
        expect(firstBad(lines.with(index, bytes.toString('utf8')))).toBe(seq)
      }),
      { numRuns: 300 },
    )
  })

  it('names the record whose text was changed together with its leaf hash', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ count, seals, seq }) => {
        const lines = await writeLog(count, seals)
        const index = indexOfRecord(lines, seq)
        const forged = forge(pick(lines, index), (text) => text.replace('"atMs":1', '"atMs":2'))
        expect(firstBad(lines.with(index, forged))).toBe(seq)
      }),
      { numRuns: 100 },
    )
  })

  it('names the record whose prev was changed together with its leaf hash', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ count, seals, seq }) => {
        const lines = await writeLog(count, seals)
        const index = indexOfRecord(lines, seq)
        const forged = forge(pick(lines, index), (text) => text.replace(/"prev":"./, '"prev":"-'))
        fc.pre(forged !== lines[index])
        expect(firstBad(lines.with(index, forged))).toBe(seq)
      }),
      { numRuns: 100 },
    )
  })

  it('names the place of a record that was removed', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ count, seals, seq }) => {
        const lines = await writeLog(count, seals)
        expect(firstBad(lines.toSpliced(indexOfRecord(lines, seq), 1))).toBe(seq)
      }),
      { numRuns: 100 },
    )
  })

  it('names the lower of two records that were swapped', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ count, seals, seq, other }) => {
        const lines = await writeLog(count, seals)
        const [left, right] = [indexOfRecord(lines, seq), indexOfRecord(lines, other)]
        const swapped = lines.with(left, pick(lines, right)).with(right, pick(lines, left))
        expect(firstBad(swapped)).toBe(Math.min(seq, other))
      }),
      { numRuns: 100 },
    )
  })

  it('names the place of a record that was put in, copied or forged', async () => {
    await fc.assert(
      fc.asyncProperty(logs, fc.boolean(), async ({ count, seals, seq, other }, isCopy) => {
        const lines = await writeLog(count, seals)
        const index = indexOfRecord(lines, seq)
        const before = seq === 1 ? firstPrev : seal(textOf(pick(lines, indexOfRecord(lines, seq - 1)))).leaf
        const forged = seal(formatAuditRecord({ seq, prev: before, atMs: 7 }, { kind: 'hop' }))
        const added = isCopy ? pick(lines, indexOfRecord(lines, other)) : formatAuditLine({ kind: 'record', ...forged })
        expect(firstBad(lines.toSpliced(index, 0, added))).toBe(seq)
      }),
      { numRuns: 100 },
    )
  })

  it('names the first record that is missing at the end', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ count, seals, seq }) => {
        const lines = await writeLog(count, seals)
        const start = indexOfRecord(lines, seq)
        const isLater = (line: string, index: number): boolean => index < start || !isRecordLine(line)
        const verdict = check(lines.filter(isLater))
        expect(verdict).toMatchObject({ kind: 'tampered', firstBadRecord: seq, code: 'audit.truncated' })
      }),
      { numRuns: 100 },
    )
  })

  it('says that the log starts late when its head is cut, and names record 1', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ count, seals, seq }) => {
        fc.pre(seq > 1)
        const lines = await writeLog(count, seals)
        const verdict = check(lines.slice(indexOfRecord(lines, seq)))
        expect(verdict).toMatchObject({ kind: 'tampered', firstBadRecord: 1, proven: 0, code: 'audit.truncated' })
      }),
      { numRuns: 50 },
    )
  })

  it('names the first record after the last good checkpoint when a run was rewritten with all its hashes', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async ({ count, seals, seq }) => {
        const lines = await writeLog(count, seals)
        let prev = firstPrev
        const rewritten = lines.map((line, index) => {
          if (!isRecordLine(line)) return line
          const isTarget = index === indexOfRecord(lines, seq)
          const forged = forge(line, (text) => {
            const chained = text.replace(/"prev":"[^"]*"/, `"prev":"${prev}"`)
            return isTarget ? chained.replace('"atMs":1', '"atMs":2') : chained
          })
          prev = seal(textOf(forged)).leaf
          return forged
        })
        const proven = Math.max(0, ...[...seals].filter((size) => size < seq))
        const verdict = check(rewritten)
        // If the run is only the record before the checkpoint, the checkpoint itself tells its hash.
        const firstBadRecord = seals.has(seq) ? seq : proven + 1
        expect(verdict).toMatchObject({ kind: 'tampered', firstBadRecord, proven })
      }),
      { numRuns: 100 },
    )
  })

  it('never proves a record that was changed, however many were', async () => {
    await fc.assert(
      fc.asyncProperty(logs, fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 6 }), async (log, picks) => {
        const lines = await writeLog(log.count, log.seals)
        const targets = picks.map((value) => 1 + (value % log.count))
        const forged = targets.reduce((all, seq) => {
          const index = indexOfRecord(all, seq)
          return all.with(
            index,
            forge(pick(all, index), (text) => text.replace(/"atMs":\d/, '"atMs":9')),
          )
        }, lines)
        const verdict = check(forged)
        const first = Math.min(...targets)
        if (verdict.kind === 'ok') throw new Error('a changed log was accepted')
        expect(verdict.proven).toBeLessThan(first)
        expect(verdict.firstBadRecord).toBeGreaterThan(verdict.proven)
        expect(verdict.firstBadRecord).toBeLessThanOrEqual(first)
      }),
      { numRuns: 200 },
    )
  })

  it('refuses two lines made of one and one made of two', async () => {
    const lines = await writeLog(6, new Set([1, 3, 6]))
    const index = indexOfRecord(lines, 4)
    const line = pick(lines, index)
    expect(firstBad(lines.with(index, `${line.slice(0, 20)}\n${line.slice(20)}`))).toBe(4)
    expect(firstBad(lines.toSpliced(index, 2, `${line}${pick(lines, index + 1)}`))).toBe(4)
  })

  it('refuses a checkpoint of which any byte was changed', async () => {
    const lines = await writeLog(6, new Set([1, 3, 6]))
    const index = lines.findLastIndex((line) => !isRecordLine(line))
    const line = pick(lines, index)
    for (let where = 0; where < line.length; where++) {
      const changed = `${line.slice(0, where)}${line[where] === 'A' ? 'B' : 'A'}${line.slice(where + 1)}`
      expect(check(lines.with(index, changed)).kind).toBe('tampered')
    }
  })

  it('names the record that a broken checkpoint follows when a later one proves the records', async () => {
    const lines = await writeLog(6, new Set([1, 3, 6]))
    const index = indexOfRecord(lines, 3) + 1
    const broken = pick(lines, index).replace('last ', 'last')
    expect(check(lines.with(index, broken))).toMatchObject({ firstBadRecord: 3, code: 'audit.checkpoint-invalid' })
  })

  it('refuses a checkpoint that was moved', async () => {
    const lines = await writeLog(6, new Set([1, 3, 6]))
    const index = indexOfRecord(lines, 3) + 1
    const moved = lines.toSpliced(index, 1).toSpliced(index + 1, 0, pick(lines, index))
    expect(check(moved).kind).toBe('tampered')
  })

  it('sees a cut together with its checkpoint only from outside knowledge', async () => {
    const lines = await writeLog(9, new Set([1, 4, 9]), { closes: true })
    const full = check(lines)
    expect(full).toMatchObject({ kind: 'ok', isClosed: true })
    const cut = lines.slice(0, indexOfRecord(lines, 5))
    expect(check(cut)).toMatchObject({ kind: 'ok', records: 4, isClosed: false })
    expect(check(cut, { expectedSize: 9 })).toMatchObject({ firstBadRecord: 5, code: 'audit.truncated' })
    const expectedHead = full.kind === 'ok' ? full.head : undefined
    expect(check(cut, { expectedHead })).toMatchObject({ firstBadRecord: 5, code: 'audit.truncated' })
    expect(check(lines, { expectedHead })).toMatchObject({ kind: 'ok' })
  })

  it('refuses a history that the key holder rewrote after a head was seen (T38)', async () => {
    const lines = await writeLog(4, new Set([1, 4]))
    const root = encodeBase64(systemHash(utf8.encode('another history')))
    const verdict = check(lines, { expectedHead: { size: 3, root } })
    expect(verdict).toMatchObject({ firstBadRecord: 1, proven: 0, code: 'audit.checkpoint-invalid' })
  })

  it('counts records after the last checkpoint as unsigned and names a break among them', async () => {
    const lines = await writeLog(8, new Set([1, 4]))
    expect(check(lines)).toMatchObject({ kind: 'ok', records: 8, unsigned: 4, head: { size: 4 } })
    const index = indexOfRecord(lines, 6)
    const forged = forge(pick(lines, index), (text) => text.replace('"atMs":1', '"atMs":2'))
    expect(firstBad(lines.with(index, forged))).toBe(6)
    expect(firstBad(lines.toSpliced(index, 1))).toBe(6)
  })

  it('refuses checkpoints of a key that did not open the log', async () => {
    const lines = await writeLog(4, new Set([1, 4]), { signer: signerOf(1), openedBy: pick(dids, 0) })
    expect(check(lines)).toMatchObject({ code: 'audit.checkpoint-invalid', firstBadRecord: 1, proven: 0 })
  })

  it('refuses a whole log of a key that is not trusted', async () => {
    const lines = await writeLog(4, new Set([1, 4]), { signer: signerOf(1) })
    expect(check(lines)).toMatchObject({ kind: 'ok', signers: [dids[1]] })
    const isTrustedSigner = (did: string): boolean => did === dids[0]
    expect(check(lines, { isTrustedSigner })).toMatchObject({ code: 'audit.checkpoint-invalid', proven: 0 })
  })

  it('refuses another log, an empty one and one without a checkpoint', async () => {
    const lines = await writeLog(4, new Set([1, 4]))
    expect(check(lines, { expectedOrigin: 'parley/test/acme/other' }).kind).toBe('tampered')
    expect(verifyAuditExport('', { verify })).toMatchObject({ kind: 'tampered', code: 'audit.truncated' })
    expect(check(lines.filter(isRecordLine))).toMatchObject({ kind: 'tampered', firstBadRecord: 1 })
    expect(verifyAuditExport('null\n[]\n{}\n', { verify })).toMatchObject({ kind: 'tampered', firstBadRecord: 1 })
  })
})
