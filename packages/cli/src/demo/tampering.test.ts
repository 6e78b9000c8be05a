import { openAuditLog, exportAudit, verifyAuditExport } from '@parley/audit'
import { createKeySigner, generateSeed, verifySignature } from '@parley/identity'
import { createManualClock, createSeededRandom } from '@parley/ports'
import { openSqliteStore } from '@parley/store-sqlite'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { tampers } from './tampering.ts'

const size = 12
let exported = ''

beforeAll(async () => {
  const clock = createManualClock()
  const store = await openSqliteStore({ path: ':memory:' })
  const signer = createKeySigner(generateSeed(createSeededRandom(1)))
  const log = await openAuditLog({ store, clock, signer, origin: 'parley/test' })
  for (let at = 2; at < size; at++) {
    log.append({ kind: 'hop', at })
    if (at % 5 === 0) await log.checkpoint()
  }
  await log.close()
  for await (const lines of exportAudit(store)) exported += lines
  await store.close()
})

describe('tampers', () => {
  it.each(Object.entries(tampers))('says at which record a log goes bad: %s', (_, tamper) => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { text, firstBadRecord } = tamper(exported, createSeededRandom(seed))
        const verdict = verifyAuditExport(text, { verify: verifySignature, expectedSize: size })
        expect(verdict).toMatchObject({ kind: 'tampered', firstBadRecord })
      }),
      { numRuns: 100 },
    )
  })

  it('starts from a log that holds', () => {
    const verdict = verifyAuditExport(exported, { verify: verifySignature, expectedSize: size })
    expect(verdict).toMatchObject({ kind: 'ok', records: size, isClosed: true })
  })
})
