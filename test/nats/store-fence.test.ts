import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@nats-io/transport-node'
import { exitCodes } from '@parley/cli'
import { createNkey, generateUserNkey, readKeyFile, type Nkey } from '@parley/identity'
import type { RunningNatsServer } from '@parley/nats-server'
import { isMeshError } from '@parley/protocol'
import {
  formatStoreAccount,
  listStorePermissions,
  openNatsStore,
  storeInboxPrefix,
  type NatsStore,
} from '@parley/store-nats'
import { dialNats } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured } from '../integration/captured-cli.ts'
import { random, toClientLogin } from './fence.ts'
import { startJetStream } from './broker-store.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const codeOf = (error: unknown): unknown => (isMeshError(error) ? error.code : error)

/** One use of everything that a node asks of a store. */
async function useStore(store: NatsStore): Promise<void> {
  const { journal, keyValue } = store
  const last = await journal.last('saga/a')
  await journal.append('saga/a', last, [bytes('1'), bytes('2')])
  await journal.read('saga/a')
  await journal.streams('saga/')
  await keyValue.put('lease/a', bytes('1'))
  await keyValue.get('lease/a')
  await keyValue.list('lease/')
  await keyValue.delete('lease/a')
}

describe('a store in an account of its own', () => {
  let server: RunningNatsServer
  const operator = generateUserNkey(random)
  const keys = { left: generateUserNkey(random), right: generateUserNkey(random) }
  const mesh = generateUserNkey(random)
  const { publish, subscribe } = listStorePermissions({ name: 'left', inboxPrefix: '_INBOX.left' })
  /** Users that lack one permission each. */
  const lacking = [...publish, ...subscribe].map((subject) => ({ subject, key: generateUserNkey(random) }))
  const open = (key: Nkey, name: 'left' | 'right', by: 'create' | 'verify' = 'verify'): Promise<NatsStore> =>
    openNatsStore({
      name,
      provision: by,
      answerTimeoutMs: 300,
      patienceMs: 300,
      connect: () => dialNats({ servers: server.url, nkey: key.seed, inboxPrefix: `_INBOX.${name}` }),
    })
  beforeAll(async () => {
    const list = (subjects: readonly string[]): string => `[${subjects.map((each) => JSON.stringify(each)).join(', ')}]`
    const stores = formatStoreAccount(
      'stores',
      (['left', 'right'] as const).map((name) => ({ name, inboxPrefix: `_INBOX.${name}`, nkey: keys[name].nkey })),
      operator.nkey,
    )
    const cut = lacking.map(({ subject, key }) => {
      // An empty list permits everything.
      const but = (from: readonly string[]): string => list(['nothing', ...from.filter((each) => each !== subject)])
      return `{ nkey: ${key.nkey}, permissions: { publish: { allow: ${but(publish)} }, subscribe: { allow: ${but(subscribe)} } } }`
    })
    server = await startJetStream({
      config: [
        stores.replace('users: [', `users: [\n${cut.join('\n')}`),
        `authorization { users: [ { nkey: ${mesh.nkey} } ] }`,
      ].join('\n'),
    })
    for (const name of ['left', 'right'] as const) await (await open(operator, name, 'create')).close()
  })
  afterAll(() => server.stop())

  it('gives a node exactly what it needs', async () => {
    const store = await open(keys.left, 'left')
    await useStore(store)
    expect((await store.journal.read('saga/a')).map(({ data }) => new TextDecoder().decode(data))).toEqual(['1', '2'])
    expect(await store.keyValue.list('')).toEqual([])
    await store.close()
  })

  it.each(lacking.map(({ subject, key }) => [subject, key] as const))('needs %s', async (_, key) => {
    const use = async (): Promise<void> => {
      const store = await open(key, 'left')
      try {
        await useStore(store)
      } finally {
        await store.close()
      }
    }
    expect(await use().catch(codeOf)).toMatch(/^store\.(?:open-failed|unavailable|write-failed|outcome-unknown)$/)
  })

  it('opens no other store, and makes none', async () => {
    await expect(open(keys.left, 'right')).rejects.toMatchObject({ code: 'store.open-failed' })
  })

  it('T25: lets a node read past no leader, and change, empty or delete nothing', async () => {
    const connection = await connect({
      servers: server.url,
      ...toClientLogin({ nkey: keys.left.seed }),
      inboxPrefix: '_INBOX.left',
    })
    for (const verb of [
      'DIRECT.GET.left_journal',
      'STREAM.CREATE.mine',
      'STREAM.UPDATE.left_journal',
      'STREAM.PURGE.left_journal',
      'STREAM.DELETE.left_journal',
      'STREAM.MSG.DELETE.left_journal',
      'STREAM.SNAPSHOT.left_journal',
      'STREAM.MSG.GET.right_journal',
      'CONSUMER.CREATE.left_journal',
      'INFO',
    ])
      await expect(connection.request(`$JS.API.${verb}`, '{}', { timeout: 500 }), verb).rejects.toThrow(/permission/i)
    await connection.close()
  })

  it('T44: has its answers sent nowhere in the mesh, whatever reply subject a request brings', async () => {
    const peer = await connect({ servers: server.url, ...toClientLogin({ nkey: mesh.seed }) })
    const tap = await connect({ servers: server.url, ...toClientLogin({ nkey: operator.seed }) })
    const [inMesh, inStores] = [peer, tap].map((each) => {
      const heard: string[] = []
      each.subscribe('iatp.>', {
        callback: (_, { subject }) => {
          heard.push(subject)
        },
      })
      return heard
    })
    await Promise.all([peer.flush(), tap.flush()])
    const connection = await connect({ servers: server.url, ...toClientLogin({ nkey: keys.left.seed }) })
    const reply = 'iatp.1.main.victim.innocent'
    connection.publish('$JS.API.STREAM.INFO.left_journal', '', { reply })
    connection.publish('parley.journal.left.x', 'x', { reply })
    await expect.poll(() => inStores).toEqual([reply, reply])
    await peer.flush()
    expect(inMesh).toEqual([])
    await Promise.all([connection.close(), tap.close()])
    await peer.close()
  })
})

describe('parley store', () => {
  it('writes the account of a store, makes its streams, and a node opens it with the key of the store alone', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-store-cli-'))
    const run = (...args: readonly string[]): ReturnType<typeof runCaptured> => runCaptured(['store', ...args])
    const config = await run('config', dir, '--store', 'desk')
    expect(config).toMatchObject({ code: exitCodes.ok, err: '' })
    expect((await run('config', dir, '--store', 'desk')).out).toBe(config.out)
    await using own = await startJetStream({ config: config.out })
    const open = async (): Promise<NatsStore> => {
      const nkey = createNkey('U', await readKeyFile(join(dir, 'desk.key'))).seed
      const connect = (): ReturnType<typeof dialNats> =>
        dialNats({ servers: own.url, nkey, inboxPrefix: storeInboxPrefix('desk') })
      return openNatsStore({ name: 'desk', provision: 'verify', connect })
    }
    await expect(open()).rejects.toMatchObject({ code: 'store.open-failed' })
    const create = ['create', 'desk', '--nats', own.url, '--key', join(dir, 'store.operator.key')]
    for (let time = 0; time < 2; time++) {
      const { code, out } = await run(...create)
      expect([code, out]).toEqual([exitCodes.ok, expect.stringContaining('desk is ready')])
    }
    const store = await open()
    await useStore(store)
    expect(await store.journal.last('saga/a')).toBe(2)
    await store.close()
    expect(await run('create', 'desk')).toMatchObject({ code: exitCodes.usage })
    await rm(dir, { recursive: true })
  })
})
