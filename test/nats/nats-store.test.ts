import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import { compareVersions, type RunningNatsServer } from '@parley/nats-server'
import { exitCodes } from '@parley/cli'
import { isMeshError } from '@parley/protocol'
import { dialNats } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured } from '../integration/captured-cli.ts'
import { openStore, startJetStream } from './broker-store.ts'
import { findPorts } from './find-ports.ts'
import { startStallingProxy } from './stalling-proxy.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const codeOf = (error: unknown): unknown => (isMeshError(error) ? error.code : error)
const text = (data: Uint8Array): string => new TextDecoder().decode(data)

describe('openNatsStore on one server', () => {
  let server: RunningNatsServer
  beforeAll(async () => {
    server = await startJetStream()
  })
  afterAll(() => server.stop())

  it('reads long journals whole and in parts, among the messages of others', async () => {
    const store = await openStore(server.url, { name: 'long' })
    let last = 0
    for (let round = 0; round < 60; round++) {
      last = await store.journal.append('long', last, [bytes(`${last + 1}`), bytes(`${last + 2}`)])
      await store.journal.append(`other-${round}`, 0, [bytes('x')])
    }
    const other = await openStore(server.url, { name: 'long', provision: 'verify' })
    const all = await other.journal.read('long')
    expect(all.map(({ position, data }) => text(data) === String(position))).toEqual(Array(120).fill(true))
    expect((await other.journal.read('long', 57, 3)).map(({ position }) => position)).toEqual([57, 58, 59])
    expect((await other.journal.read('long', 120)).map(({ position }) => position)).toEqual([120])
    await Promise.all([store.close(), other.close()])
  })

  it('T13: keeps two processes apart, also one that believes what it knew', async () => {
    const [left, right] = await Promise.all([
      openStore(server.url, { name: 'two' }),
      openStore(server.url, { name: 'two' }),
    ])
    expect(await left.journal.append('s', 0, [bytes('left')])).toBe(1)
    expect(await right.journal.append('s', 1, [bytes('right')])).toBe(2)
    await expect(left.journal.append('s', 1, [bytes('late')])).rejects.toMatchObject({
      code: 'store.position-conflict',
      details: { last: 2, expectedLast: 1 },
    })
    expect(await left.journal.append('s', 2, [bytes('again')])).toBe(3)
    await Promise.all([left.close(), right.close()])
  })

  it('stops a journal that has a gap or a strange message, and no other', async () => {
    const store = await openStore(server.url, { name: 'gap' })
    for (const stream of ['torn', 'strange', 'whole']) await store.journal.append(stream, 0, [bytes('a')])
    const connection = await dialNats({ servers: server.url })
    const client = jetstream(connection)
    const jump = headers()
    jump.set('Parley-Position', '3')
    for (const stream of ['torn', 'headless'])
      await client.publish(`parley.journal.gap.${stream}`, bytes('c'), { headers: jump })
    await client.publish('parley.journal.gap.strange', bytes('{}'))
    const other = await openStore(server.url, { name: 'gap' })
    for (const stream of ['torn', 'headless', 'strange'])
      await expect(other.journal.read(stream)).rejects.toMatchObject({ code: 'store.corrupt' })
    expect(await other.journal.last('whole')).toBe(1)
    await Promise.all([store.close(), other.close(), connection.close()])
  })

  it('shows a reader a journal as it was or as it was compacted to, and never a gap', async () => {
    const [writer, other] = await Promise.all([
      openStore(server.url, { name: 'compact' }),
      openStore(server.url, { name: 'compact' }),
    ])
    for (let round = 0; round < 20; round++) {
      const from = await writer.journal.last('s')
      for (let at = from; at < from + 6; at++) await writer.journal.append('s', at, [bytes(`${at + 1}`)])
      const [entries] = await Promise.all([
        other.journal.read('s'),
        writer.journal.compact('s', from + 6, [bytes(`${from + 7}`)]),
      ])
      expect([7, 6, 1]).toContain(round === 0 ? entries.length : Math.min(7, entries.length))
      expect(entries.map(({ data }) => Number(text(data)))).toEqual(entries.map(({ position }) => position))
      expect((await other.journal.read('s')).map(({ position }) => position)).toEqual([from + 7])
    }
    await Promise.all([writer.close(), other.close()])
  })

  it('refuses an append that the broker would not take, and keeps the connection', async () => {
    const store = await openStore(server.url, { name: 'large' })
    await expect(store.journal.append('s', 0, [new Uint8Array(1_048_576)])).rejects.toMatchObject({
      code: 'store.append-too-large',
    })
    expect(await store.journal.append('s', 0, [new Uint8Array(1_000_000)])).toBe(1)
    await store.close()
  })

  it('T24: refuses streams that would lose what they acknowledge, and missing ones where it may make none', async () => {
    const connection = await dialNats({ servers: server.url })
    const manager = await jetstreamManager(connection)
    await manager.streams.add({
      name: 'async_journal',
      subjects: ['parley.journal.async.>'],
      max_age: 3_600_000_000_000,
      allow_rollup_hdrs: true,
    })
    await expect(openStore(server.url, { name: 'async' })).rejects.toMatchObject({
      code: 'store.unsafe-config',
      details: { hazards: ['max_age removes what is old'] },
    })
    await expect(openStore(server.url, { name: 'none', provision: 'verify' })).rejects.toMatchObject({
      code: 'store.open-failed',
    })
    await connection.close()
  })

  it('T47: counts revisions anew in a bucket that was made anew, while the journal goes on', async () => {
    const store = await openStore(server.url, { name: 'fence' })
    await store.journal.append('saga', 0, [bytes('owned 1')])
    for (const beat of ['1', '2', '3']) await store.keyValue.put('lease', bytes(beat))
    await store.keyValue.delete('lease')
    expect(await store.keyValue.put('lease', bytes('4'))).toBe(1)
    expect(await store.journal.append('saga', 1, [bytes('owned 2')])).toBe(2)
    await store.close()
  })

  it('T14: brings no value back when the mark of its deletion goes', async ({ skip }) => {
    skip(compareVersions(server.version, '2.11.0') < 0, 'needs nats-server 2.11, which lets single messages expire')
    const store = await openStore(server.url, { name: 'marks' })
    const connection = await dialNats({ servers: server.url })
    const manager = await jetstreamManager(connection)
    const readLast = () => manager.streams.getMessage('KV_marks', { last_by_subj: '$KV.marks.k' })
    for (const value of ['a', 'b']) await store.keyValue.put('k', bytes(value))
    await store.keyValue.delete('k')
    const mark = (await readLast())?.header
    expect([mark?.get('Nats-TTL'), mark?.get('Nats-Rollup')]).toEqual(['1m', 'sub'])
    // The same once more, with a life that a test can wait for.
    for (const value of ['c', 'd']) await store.keyValue.put('k', bytes(value))
    const short = headers()
    for (const name of ['KV-Operation', 'Nats-Rollup']) short.set(name, mark?.get(name) ?? '')
    short.set('Nats-TTL', '1s')
    await jetstream(connection).publish('$KV.marks.k', new Uint8Array(0), { headers: short })
    expect(await store.keyValue.list('')).toEqual([])
    await expect.poll(readLast, { timeout: 5_000 }).toBe(null)
    expect(await store.keyValue.put('k', bytes('e'), 0)).toBe(1)
    await Promise.all([store.close(), connection.close()])
  })

  it('refuses a bucket that holds what something else wrote', async () => {
    const store = await openStore(server.url, { name: 'foreign' })
    const connection = await dialNats({ servers: server.url })
    await jetstream(connection).publish('$KV.foreign.k', bytes('by hand'))
    await expect(store.keyValue.get('k')).rejects.toMatchObject({ code: 'store.corrupt' })
    await Promise.all([store.close(), connection.close()])
  })
})

describe('openNatsStore on a server that is killed', () => {
  let server: RunningNatsServer
  beforeAll(async () => {
    server = await startJetStream()
  })
  afterAll(() => server.stop())

  it('T1: finds every acknowledged append and the truth of every other one, though the server is killed twice', async () => {
    const store = await openStore(server.url, { name: 'killed' })
    const written = new Map<string, string[]>()
    let isDone = false
    const write = async (stream: string): Promise<void> => {
      const kept: string[] = []
      written.set(stream, kept)
      for (let last = 0; !isDone;) {
        const pair = [`${stream}:${last + 1}`, `${stream}:${last + 2}`]
        try {
          last = await store.journal.append(stream, last, pair.map(bytes))
          kept.push(...pair)
        } catch (error) {
          // Anything but a definite no would leave this writer in doubt.
          if (codeOf(error) !== 'store.unavailable') throw error
          await delay(10)
        }
      }
    }
    const writers = Array.from({ length: 16 }, (_, index) => write(`w${index}`))
    const count = (): number => [...written.values()].reduce((sum, { length }) => sum + length, 0)
    for (let kill = 0; kill < 2; kill++) {
      const before = count()
      await expect.poll(count).toBeGreaterThan(before + 64)
      await server.kill()
      await server.restart()
    }
    const before = count()
    await expect.poll(count).toBeGreaterThan(before + 64)
    isDone = true
    await Promise.all(writers)
    for (const [stream, kept] of written) {
      expect((await store.journal.read(stream)).map(({ data }) => text(data))).toEqual(kept)
    }
    await store.close()
  }, 30_000)

  it('T1: knows the truth of every append though answers are late, lost, or come to nobody', async () => {
    await using proxy = await startStallingProxy(server.port)
    const store = await openStore(proxy.url, { name: 'stalled', answerTimeoutMs: 60 })
    const written = new Map<string, string[]>()
    let isDone = false
    const write = async (stream: string): Promise<void> => {
      const kept: string[] = []
      written.set(stream, kept)
      for (let last = 0; !isDone;) {
        const entry = `${stream}:${last + 1}`
        try {
          last = await store.journal.append(stream, last, [bytes(entry)])
          kept.push(entry)
        } catch (error) {
          if (codeOf(error) !== 'store.unavailable') throw error
          await delay(5)
        }
      }
    }
    const writers = Array.from({ length: 8 }, (_, index) => write(`w${index}`))
    const count = (): number => [...written.values()].reduce((sum, { length }) => sum + length, 0)
    for (const to of ['client', 'server', 'client', 'server'] as const) {
      const before = count()
      await expect.poll(count).toBeGreaterThan(before + 16)
      proxy.stall(to)
      // Longer than an answer may take: each writer sends again what may already be stored, or is on its way.
      await delay(150)
      if (before > 40) proxy.cut()
      proxy.resume()
    }
    isDone = true
    await Promise.all(writers)
    for (const [stream, kept] of written)
      expect((await store.journal.read(stream)).map(({ data }) => text(data))).toEqual(kept)
    await store.close()
  })

  it('is closed within seconds though its server is gone, and says of a pending write that it is unknown', async () => {
    await using proxy = await startStallingProxy(server.port)
    const store = await openStore(proxy.url, { name: 'left', answerTimeoutMs: 60, patienceMs: 600_000 })
    await store.journal.append('s', 0, [bytes('a')])
    proxy.stall('server')
    const pending = store.journal.append('s', 1, [bytes('b')]).catch(codeOf)
    await store.close()
    expect(await pending).toBe('store.outcome-unknown')
  }, 10_000)

  it('T42: sends nothing while there is no connection, says so, and goes on when it is back', async () => {
    const store = await openStore(server.url, { name: 'offline' })
    await store.journal.append('s', 0, [bytes('a')])
    await server.kill()
    const append = (): Promise<unknown> => store.journal.append('s', 1, [bytes('b')]).catch(codeOf)
    await expect.poll(() => store.journal.last('s').catch(codeOf)).toBe('store.unavailable')
    expect(await append()).toBe('store.unavailable')
    await server.restart()
    await expect.poll(append).toBe(2)
    expect(await store.journal.last('s')).toBe(2)
    await store.close()
  })
})

describe('how a broker syncs', () => {
  it('T19: is told by its monitoring port, and a store that has to be synced opens on no other', async () => {
    for (const syncAlways of [false, true]) {
      const [port] = await findPorts(1)
      const monitor = `http://127.0.0.1:${String(port)}`
      const config = `http: "127.0.0.1:${String(port)}"`
      await using server = await startJetStream(syncAlways ? { config } : { config, syncAlways })
      const store = await openStore(server.url, { name: 'sync', monitors: [monitor] })
      // An old server cannot sync each write, and says so by saying nothing.
      expect(store.facts()).toMatchObject({ replicas: 1, syncsEachWrite: server.syncAlways })
      await store.close()
      const synced = openStore(server.url, { name: 'sync', monitors: [monitor], durability: 'synced' })
      const outcome = await synced.then((each) => each.close(), codeOf)
      expect(outcome).toBe(server.syncAlways ? undefined : 'store.unsafe-config')
      const about = ['--nats', server.url, '--monitor', monitor, '--store', 'sync']
      const { code, out } = await runCaptured(['doctor', ...about], { PATH: '' })
      expect(code).toBe(exitCodes.ok)
      expect(out).toMatch(server.syncAlways ? /ok +broker sync .*always/ : /warn +broker sync .*(?:120 s|not told)/)
      expect(out).toMatch(
        server.syncAlways ? /ok +nats store .*: yes/ : /warn +nats store .*: no\n.*sync_interval: always/,
      )
      const missing = await runCaptured(['doctor', '--nats', server.url, '--store', 'none'], { PATH: '' })
      expect([missing.code, missing.out]).toEqual([
        exitCodes.no,
        expect.stringMatching(/store\.open-failed: .*none_journal/),
      ])
    }
  })
  it('is not guessed where nobody tells', async () => {
    await using server = await startJetStream()
    const store = await openStore(server.url, { name: 'untold' })
    expect(store.facts().syncsEachWrite).toBe(undefined)
    await store.close()
    for (const options of [{ durability: 'synced' as const }, { monitors: [server.url.replace('nats:', 'http:')] }])
      await expect(openStore(server.url, { name: 'untold', ...options })).rejects.toThrow(/sync/)
  })
})

describe('openNatsStore on a broker that goes back', () => {
  it('notices a restored broker while it runs, and one stream that is behind the other when it opens', async () => {
    const storeDir = await mkdtemp(join(tmpdir(), 'parley-store-'))
    const backup = `${storeDir}-backup`
    await using server = await startJetStream({ storeDir })
    const store = await openStore(server.url, { name: 'back' })
    await store.journal.append('s', 0, [bytes('a')])
    await server.kill()
    await cp(storeDir, backup, { recursive: true })
    await server.restart()
    await expect.poll(() => store.journal.append('s', 1, [bytes('b')]).catch(() => 0)).toBe(2)
    await server.kill()
    await rm(storeDir, { recursive: true })
    await cp(backup, storeDir, { recursive: true })
    await server.restart()
    const broken = (): Promise<unknown> => store.journal.last('s').catch((error: unknown) => error)
    await expect.poll(broken).toMatchObject({ code: 'store.corrupt' })
    await expect(store.journal.append('s', 2, [bytes('c')])).rejects.toMatchObject({ code: 'store.corrupt' })
    await store.close()

    // Both streams are of the backup: together they are a sound past. One of them alone is not.
    const again = await openStore(server.url, { name: 'back' })
    await again.keyValue.put('k', bytes('v'))
    await again.close()
    const connection = await dialNats({ servers: server.url })
    await (await jetstreamManager(connection)).streams.delete('back_journal')
    await expect(openStore(server.url, { name: 'back' })).rejects.toMatchObject({ code: 'store.corrupt' })
    await connection.close()
    await Promise.all([rm(storeDir, { recursive: true }), rm(backup, { recursive: true })])
  }, 30_000)
})
