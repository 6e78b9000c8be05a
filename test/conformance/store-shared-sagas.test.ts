import { storeConformance } from '@parley/conformance'
import { shareSagas } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'

const openMemory = () => openSqliteStore({ path: ':memory:' })

storeConformance({ describe, it, expect }, 'shareSagas', async () => {
  const store = shareSagas(await openMemory(), await openMemory())
  return { store, dispose: () => store.close() }
})

describe('shareSagas', () => {
  it('keeps what is of sagas in the shared store, and all else in the own one', async () => {
    const own = await openMemory()
    const shared = await openMemory()
    const store = shareSagas(own, shared)
    const bytes = Uint8Array.of(1)
    for (const name of ['saga/acme/desk/1', 'saga-lease/acme/desk/a', 'sagas', 'audit', 'a/saga/1']) {
      await store.journal.append(name, 0, [bytes])
      await store.keyValue.put(name, bytes)
    }
    expect(await shared.journal.streams('')).toEqual(['saga-lease/acme/desk/a', 'saga/acme/desk/1'])
    expect(await own.journal.streams('')).toEqual(['a/saga/1', 'audit', 'sagas'])
    for (const prefix of ['', 's', 'saga', 'saga/', 'saga-lease/acme/', 'audit', 'x']) {
      const all = ['a/saga/1', 'audit', 'saga-lease/acme/desk/a', 'saga/acme/desk/1', 'sagas']
      const wanted = all.filter((name) => name.startsWith(prefix))
      expect(await store.journal.streams(prefix)).toEqual(wanted)
      expect((await store.keyValue.list(prefix)).map(({ key }) => key)).toEqual(wanted)
    }
    await store.close()
  })
  it('lets an instance use its own store while the shared one is away', async () => {
    const own = await openMemory()
    const shared = await openMemory()
    await shared.close()
    const store = shareSagas(own, shared)
    expect(await store.keyValue.list('allowance/')).toEqual([])
    await expect(store.keyValue.list('saga-lease/')).rejects.toMatchObject({ code: 'store.closed' })
    await own.close()
  })
})
