import { exportAudit, openAuditLog, verifyAuditExport } from '@parley/audit'
import { createKeySigner, generateSeed, verifySignature } from '@parley/identity'
import { createManualClock, createSeededRandom, type Store, type Transport } from '@parley/ports'
import { openSqliteStore } from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'
import { createRogue } from './rogue.ts'
import { openShop, shop } from './shop.ts'

describe('close', () => {
  it('ends while handlers hang, junk keeps coming and the bus is gone', async () => {
    const never = new Promise<never>(() => undefined)
    const open = await openShop({ buy: () => never })
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    for (let counter = 1; counter <= 5; counter++)
      await rogue.send(open.counter.instance, rogue.request(session, counter, shop.buy, { body: { item: 'x' } }))
    const closing = open.counter.close()
    await rogue.send(open.counter.instance, rogue.request(session, 6, shop.buy, { body: { item: 'x' } }))
    open.mesh.disconnect(open.counter)
    await open.mesh.clock.advance(2_001)
    await closing
    expect(open.counter.health()).toMatchObject({ ready: false })
    const hops = await open.hopsOf(open.counter)
    expect(hops.filter(({ outcome }) => outcome === 'unknown')).toHaveLength(5)
    await open.mesh.close()
  })

  it('during a start, twice, and with a start that fails, ends and frees its file', async () => {
    await using open = await openShop()
    const store = await openSqliteStore({ path: ':memory:', clock: open.mesh.clock })
    await store.journal.append('trust', 0, [new TextEncoder().encode('{"model":"parley-trust/1","records":[{}]}')])
    await expect(open.mesh.node('acme/broken', { store })).rejects.toMatchObject({ code: 'store.corrupt' })
    expect((await open.buy()).kind).toBe('ok')
    await Promise.all([open.counter.close(), open.counter.close(), open.mesh.clock.advance(2_000)])
    const after = open.buy()
    await open.mesh.clock.advance(1_001)
    expect((await after).kind).toBe('refused')
  })
})

describe('a store that was edited', () => {
  it.each<readonly [what: string, stream: string, text: string, code: string]>([
    ['a ledger that is no JSON', 'trust', '{', 'store.corrupt'],
    ['a ledger of another model', 'trust', '{"model":"__proto__","records":[]}', 'store.corrupt'],
    [
      'evidence with a key that every object has',
      'trust',
      '{"model":"parley-trust/1","records":[{"kind":"evidence","__proto__":{"evidence":{}}}]}',
      'store.corrupt',
    ],
    ['a log of records that are none', 'audit', '{"record":"{}","leaf":""}\n', 'audit.record-invalid'],
    ['a log whose only line was cut short', 'audit', '{"record":"{', 'audit.record-invalid'],
    ['a checkpoint that nobody signed', 'audit', '{"checkpoint":"n","did":"did:key:z"}\n', 'audit.checkpoint-invalid'],
  ])('with %s keeps its node from starting, and says so', async (_, stream, text, code) => {
    await using open = await openShop()
    const store = await openSqliteStore({ path: ':memory:', clock: open.mesh.clock })
    await store.journal.append(stream, 0, [new TextEncoder().encode(text)])
    await expect(open.mesh.node('acme/edited', { store })).rejects.toMatchObject({ code })
  })

  it('gives no byte of its log away: each one that is cut, broken or put in is named', async () => {
    const clock = createManualClock()
    const options = {
      clock,
      signer: createKeySigner(generateSeed(createSeededRandom(9))),
      origin: 'parley/main/acme/desk',
      verify: verifySignature,
    }
    const store = await openSqliteStore({ path: ':memory:', clock })
    const log = await openAuditLog({ ...options, store })
    for (const name of ['a', 'b', '\uFFFD']) log.append({ kind: 'hop', name })
    await log.close()
    const segments = (await store.journal.read('audit')).map(({ data }) => data)
    const verdictOf = async (edited: Store): Promise<string> => {
      let text = ''
      for await (const segment of exportAudit(edited)) text += segment
      return verifyAuditExport(text, { verify: verifySignature, expectedSize: log.size() }).kind
    }
    expect(await verdictOf(store)).toBe('ok')
    const last = segments.at(-1) ?? new Uint8Array()
    const letter = Buffer.from(last).indexOf('hop')
    expect(letter).toBeGreaterThan(0)
    const cut = last.subarray(0, letter)
    const edits = [last.with(letter, 0xff), last.with(letter, 0x0a), last.with(letter, 0x22), cut]
    for (const edit of edits) {
      const edited = await openSqliteStore({ path: ':memory:', clock })
      await edited.journal.append('audit', 0, [...segments.slice(0, -1), edit])
      expect(await verdictOf(edited)).toBe('tampered')
    }
    // Opening looks at what follows the last checkpoint; what was signed before is for the verifier.
    const edited = await openSqliteStore({ path: ':memory:', clock })
    await edited.journal.append('audit', 0, [...segments.slice(0, -1), cut])
    await expect(openAuditLog({ ...options, store: edited })).rejects.toMatchObject({ code: 'audit.record-invalid' })
  })

  it('does not start with breakers that are none', async () => {
    await using open = await openShop()
    for (const text of ['{', '{"version":1,"breakers":[{"peer":5}]}', 'null', '[]']) {
      const store = await openSqliteStore({ path: ':memory:', clock: open.mesh.clock })
      await store.keyValue.put('reliability/breakers', new TextEncoder().encode(text))
      await expect(open.mesh.node('acme/edited', { store })).rejects.toMatchObject({ code: 'store.corrupt' })
    }
  })
})

describe('a transport that breaks', () => {
  it('in publish and flush takes no node with it, and no call hangs', async () => {
    await using open = await openShop()
    const sound = open.mesh.bus.connect()
    let isBroken = false
    const transport: Transport = {
      ...sound,
      publish(subject, data) {
        if (isBroken) throw new TypeError('the client broke')
        sound.publish(subject, data)
      },
    }
    const caller = await open.mesh.node('acme/caller', { transport, calls: [shop.buy] })
    isBroken = true
    expect(await caller.tryCall(shop.buy, { item: 'x' })).toMatchObject({ kind: 'refused', hop: { sent: false } })
    isBroken = false
    expect((await caller.tryCall(shop.buy, { item: 'x' })).kind).toBe('ok')
  })
})
