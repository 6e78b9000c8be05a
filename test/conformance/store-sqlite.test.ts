import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeConformance } from '@parley/conformance'
import { openSqliteStore } from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'

storeConformance({ describe, it, expect }, 'store-sqlite in a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-conformance-'))
  const path = join(folder, 'store.db')
  let store = await openSqliteStore({ path })
  return {
    store,
    async reopen() {
      await store.close()
      store = await openSqliteStore({ path })
      return store
    },
    async dispose() {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
})

storeConformance({ describe, it, expect }, 'store-sqlite in memory', async () => {
  const store = await openSqliteStore({ path: ':memory:' })
  return { store, dispose: () => store.close() }
})
