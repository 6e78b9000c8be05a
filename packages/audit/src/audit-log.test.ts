import { createPrivateKey, createPublicKey, sign, verify as verifyEd25519 } from 'node:crypto'
import { createManualClock, type ManualClock, type Signer, type Store } from '@parley/ports'
import { MeshError, type SignatureCheck } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { openAuditLog, type AuditLogOptions } from './audit-log.ts'
import { parseAuditLine } from './audit-line.ts'
import { parseAuditRecord, type AuditRecord } from './audit-record.ts'
import { exportAudit } from './export-audit.ts'
import { verifyAuditExport } from './verify-audit-export.ts'

// RFC 8032 §7.1, test 1.
const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
const did = 'did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw'
const key = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex'),
  format: 'der',
  type: 'pkcs8',
})
const separate = (domain: string, bytes: Uint8Array): Uint8Array =>
  Buffer.from([...Buffer.from(`${domain}\0`), ...bytes])
const signer: Signer = { did, sign: async (domain, bytes) => new Uint8Array(sign(null, separate(domain, bytes), key)) }
const verify: SignatureCheck = (by, domain, bytes, signature) =>
  by === did && verifyEd25519(null, separate(domain, bytes), createPublicKey(key), signature)
const origin = 'parley/test/acme/desk'

interface ArrayStore extends Store {
  readonly stream: Uint8Array[]
  /** While set, writes reject with it. */
  failure: Error | undefined
}

function createArrayStore(): ArrayStore {
  const stream: Uint8Array[] = []
  const store: ArrayStore = {
    kind: 'array',
    stream,
    failure: undefined,
    journal: {
      async append(_stream, expectedLast, entries) {
        if (store.failure) throw store.failure
        if (expectedLast !== stream.length) throw new MeshError('store.position-conflict', 'somebody else wrote')
        return stream.push(...entries)
      },
      compact: () => Promise.reject(new TypeError('a log is never compacted')),
      read: async (_stream, from = 1, limit = Infinity) =>
        stream.slice(from - 1, from - 1 + limit).map((data, index) => ({ position: from + index, data })),
      last: async () => stream.length,
      streams: async () => ['audit'],
    },
    keyValue: {
      get: async () => undefined,
      put: async () => 1,
      delete: async () => undefined,
      list: async () => [],
    },
    close: async () => undefined,
  }
  return store
}

interface Setup {
  readonly store: ArrayStore
  readonly clock: ManualClock
  readonly options: AuditLogOptions
}

function setUp(): Setup {
  const store = createArrayStore()
  const clock = createManualClock()
  return { store, clock, options: { store, clock, signer, origin, verify } }
}

async function readText(store: Store): Promise<string> {
  let text = ''
  for await (const segment of exportAudit(store)) text += segment
  return text
}

async function readRecords(store: Store): Promise<AuditRecord[]> {
  const lines = (await readText(store)).split('\n').map(parseAuditLine)
  return lines.flatMap((line) => (line.kind === 'record' ? (parseAuditRecord(line.text) ?? []) : []))
}

const hop = { kind: 'hop', peer: 'acme/planes', outcome: 'ok' } as const

describe('openAuditLog', () => {
  it('tells who opened it, under a checkpoint, before it resolves', async () => {
    const { store, options } = setUp()
    await openAuditLog({ ...options, tenant: 'demo' })
    expect(await readRecords(store)).toEqual([
      {
        seq: 1,
        prev: 'A'.repeat(43),
        atMs: Date.UTC(2026, 0, 1),
        kind: 'lifecycle',
        event: 'opened',
        instance: did,
        isNew: true,
        isClean: true,
        tenant: 'demo',
      },
    ])
    expect(verifyAuditExport(await readText(store), { verify })).toMatchObject({
      kind: 'ok',
      checkpoints: 1,
      signers: [did],
    })
  })

  it('goes on with a log that was closed', async () => {
    const { store, options } = setUp()
    for (let session = 1; session <= 3; session++) {
      const log = await openAuditLog(options)
      log.append({ ...hop, session })
      await log.close()
    }
    const records = await readRecords(store)
    expect(records.map((record) => record['event'] ?? record['session'])).toEqual([
      'opened',
      1,
      'closed',
      'opened',
      2,
      'closed',
      'opened',
      3,
      'closed',
    ])
    expect(records.filter((record) => record['isClean'] === false)).toEqual([])
    expect(verifyAuditExport(await readText(store), { verify })).toMatchObject({
      kind: 'ok',
      records: 9,
      isClosed: true,
    })
  })

  it('tells by a gap record that the writer before did not close', async () => {
    const { store, clock, options } = setUp()
    const first = await openAuditLog(options)
    first.append(hop)
    await clock.advance(50)
    first.append({ ...hop, outcome: 'lost' })
    const second = await openAuditLog({ ...options, clock: createManualClock() })
    await second.close()
    const records = await readRecords(store)
    expect(records.map((record) => record.kind)).toEqual(['lifecycle', 'hop', 'gap', 'lifecycle', 'lifecycle'])
    expect(records[2]).toMatchObject({ reason: 'unclean-close', afterSeq: 2 })
    expect(records[3]).toMatchObject({ event: 'opened', isNew: false, isClean: false })
    expect(verifyAuditExport(await readText(store), { verify })).toMatchObject({ kind: 'ok', records: 5 })
  })

  it('does not go on with a tail that was changed, cut or signed by nobody', async () => {
    const { store, clock, options } = setUp()
    const log = await openAuditLog(options)
    log.append(hop)
    await clock.advance(50)
    const [opened = new Uint8Array(), tail = new Uint8Array()] = store.stream
    const changeWith = (data: Uint8Array, from: string, to: string): Uint8Array =>
      new Uint8Array(Buffer.from(Buffer.from(data).toString('utf8').replace(from, to)))
    const reopen = async (...stream: Uint8Array[]): Promise<unknown> => {
      const other = createArrayStore()
      other.stream.push(...stream)
      return openAuditLog({ ...options, store: other })
    }
    await expect(reopen(opened, changeWith(tail, 'ok', 'ko'))).rejects.toMatchObject({ code: 'audit.record-invalid' })
    await expect(reopen(opened, tail, tail)).rejects.toMatchObject({ code: 'audit.chain-broken' })
    await expect(reopen(changeWith(opened, '— parley', '— barley'))).rejects.toMatchObject({
      code: 'audit.checkpoint-invalid',
    })
    await expect(reopen(changeWith(opened, '"frontier":["', '"frontier":["A'))).rejects.toMatchObject({
      code: 'audit.checkpoint-invalid',
    })
  })

  it('does not go on with the log of another node, which is a mistake and no tampering', async () => {
    const { clock, options } = setUp()
    const log = await openAuditLog(options)
    log.append(hop)
    await clock.advance(50)
    await expect(openAuditLog({ ...options, origin: 'parley/test/acme/other' })).rejects.toMatchObject({
      code: 'mesh.config-invalid',
    })
  })

  it('refuses an origin that a signed note cannot carry', async () => {
    const { options } = setUp()
    for (const bad of ['', 'two words', 'a+b', 'a\nb']) {
      await expect(openAuditLog({ ...options, origin: bad })).rejects.toMatchObject({ code: 'mesh.config-invalid' })
    }
  })
})

describe('append', () => {
  it('is durable within 50 ms', async () => {
    const { store, clock, options } = setUp()
    const log = await openAuditLog(options)
    expect(log.append(hop).seq).toBe(2)
    expect(await readRecords(store)).toHaveLength(1)
    await clock.advance(50)
    expect(await readRecords(store)).toHaveLength(2)
  })

  it('is followed by a checkpoint a second later, and by none without new records', async () => {
    const { store, clock, options } = setUp()
    const log = await openAuditLog(options)
    log.append(hop)
    await clock.advance(1_050)
    await clock.advance(60_000)
    expect(verifyAuditExport(await readText(store), { verify })).toMatchObject({
      kind: 'ok',
      checkpoints: 2,
      unsigned: 0,
    })
  })

  it('is followed by a checkpoint at 1,000 records, however many come in a turn', async () => {
    const { store, options } = setUp()
    const log = await openAuditLog(options)
    for (let count = 0; count < 3_500; count++) log.append(hop)
    await log.flush()
    const verdict = verifyAuditExport(await readText(store), { verify })
    expect(verdict).toMatchObject({ kind: 'ok', records: 3_501, checkpoints: 4, unsigned: 500 })
  })

  it('refuses reserved and odd fields, values that JSON changes, and bodies', async () => {
    const { options } = setUp()
    const log = await openAuditLog(options)
    for (const fields of [{ seq: 1 }, { Peer: 'x' }, { '1': 'x' }, { ms: NaN }, { body: 'x'.repeat(20_000) }]) {
      expect(() => log.append({ ...hop, ...fields })).toThrow(expect.objectContaining({ code: 'audit.record-invalid' }))
    }
    expect(log.size()).toBe(1)
  })

  it('refuses when too many records wait for the store, and goes on when it writes again', async () => {
    const { store, clock, options } = setUp()
    const log = await openAuditLog({ ...options, maxUnwritten: 5 })
    store.failure = new MeshError('store.write-failed', 'disk full')
    for (let count = 0; count < 5; count++) log.append(hop)
    expect(() => log.append(hop)).toThrow(expect.objectContaining({ code: 'hop.unrecorded' }))
    await expect(log.flush()).rejects.toMatchObject({ code: 'store.write-failed' })
    store.failure = undefined
    await clock.advance(2_000)
    log.append(hop)
    await log.close()
    expect(verifyAuditExport(await readText(store), { verify })).toMatchObject({ kind: 'ok', records: 8 })
  })

  it('refuses for good once another writer took the stream', async () => {
    const { clock, options } = setUp()
    const log = await openAuditLog(options)
    await openAuditLog({ ...options, clock: createManualClock() })
    log.append(hop)
    await clock.advance(50)
    expect(() => log.append(hop)).toThrow(expect.objectContaining({ code: 'hop.unrecorded' }))
    await expect(log.close()).rejects.toMatchObject({ code: 'hop.unrecorded' })
  })

  it('refuses when too many records wait for a checkpoint, and makes it up when the signer is back', async () => {
    const { store, clock, options } = setUp()
    let isAway = false
    const moody: Signer = {
      did,
      sign: (domain, bytes) =>
        isAway ? Promise.reject(new MeshError('identity.signer-unavailable', 'away')) : signer.sign(domain, bytes),
    }
    const log = await openAuditLog({ ...options, signer: moody, maxUnwritten: 5 })
    isAway = true
    for (let count = 0; count < 5; count++) {
      log.append(hop)
      await clock.advance(1_100)
    }
    expect(await readRecords(store)).toHaveLength(6)
    expect(() => log.append(hop)).toThrow(expect.objectContaining({ code: 'hop.unrecorded' }))
    await expect(log.checkpoint()).rejects.toMatchObject({ code: 'identity.signer-unavailable' })
    isAway = false
    await clock.advance(1_100)
    log.append(hop)
    expect(verifyAuditExport(await readText(store), { verify })).toMatchObject({ kind: 'ok', records: 6, unsigned: 0 })
  })

  it('keeps what it took, also where it is too full to be closed', async () => {
    const { store, options } = setUp()
    let isAway = false
    const sign: Signer['sign'] = (domain, bytes) =>
      isAway ? Promise.reject(new MeshError('identity.signer-unavailable', 'away')) : signer.sign(domain, bytes)
    const log = await openAuditLog({ ...options, signer: { did, sign }, maxUnwritten: 5 })
    isAway = true
    for (let count = 0; count < 5; count++) log.append(hop)
    await expect(log.close()).rejects.toMatchObject({ code: 'hop.unrecorded' })
    expect(await readRecords(store)).toHaveLength(6)
  })

  it('tells listeners every record in order until they are removed', async () => {
    const { clock, options } = setUp()
    const log = await openAuditLog(options)
    const seen: number[] = []
    const remove = log.onAppend((record) => seen.push(record.seq))
    log.append(hop)
    log.append(hop)
    await clock.settle()
    remove()
    log.append(hop)
    await clock.settle()
    expect(seen).toEqual([2, 3])
  })

  it('tells a listener of the options the records of the opening, too', async () => {
    const { clock, options } = setUp()
    const seen: AuditRecord[] = []
    const onAppend = (record: AuditRecord): void => {
      seen.push(record)
    }
    const log = await openAuditLog({ ...options, onAppend })
    log.append(hop)
    await clock.settle()
    expect(seen.map(({ seq, kind }) => [seq, kind])).toEqual([
      [1, 'lifecycle'],
      [2, 'hop'],
    ])
  })

  it('refuses after close, which may be called twice', async () => {
    const { store, options } = setUp()
    const log = await openAuditLog(options)
    await Promise.all([log.close(), log.close()])
    expect(() => log.append(hop)).toThrow(expect.objectContaining({ code: 'hop.unrecorded' }))
    expect(await readRecords(store)).toHaveLength(2)
  })
})

describe('checkpoint', () => {
  it('is a C2SP checkpoint of the log, signed under its domain', async () => {
    const { options } = setUp()
    const log = await openAuditLog(options)
    log.append(hop)
    const { note, size } = await log.checkpoint()
    const [text = '', line = ''] = note.split('\n\n')
    expect(size).toBe(2)
    expect(text.split('\n').slice(0, 2)).toEqual([origin, '2'])
    const [, name, encoded = ''] = line.trimEnd().split(' ')
    expect(name).toBe(origin)
    const signature = Buffer.from(encoded, 'base64').subarray(4)
    expect(verify(did, 'parley/1/checkpoint', Buffer.from(`${text}\n`), signature)).toBe(true)
    expect(await log.checkpoint()).toMatchObject({ note })
  })
})
