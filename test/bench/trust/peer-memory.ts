import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openSqliteStore } from '@parley/store-sqlite'
import { createHops, listPeers, observeAll, openBenchLedger } from './trust-peers.ts'

// What peers cost, in a process with nothing else in it.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: object) => void
const [, , path = '', count = ''] = process.argv
const store = await openSqliteStore({ path })

async function fill(peers: number): Promise<Awaited<ReturnType<typeof openBenchLedger>>> {
  const ledger = await openBenchLedger(store, { stream: `trust-${String(peers)}` })
  const names = listPeers(peers)
  const makeHops = createHops(names)
  for (const [at, name] of names.entries()) {
    await ledger.enter(name)
    observeAll(ledger, makeHops(1))
    if (at % 10_000 === 9_999) await ledger.flush()
  }
  await ledger.flush()
  await ledger.snapshot()
  return ledger
}

function readMemory(): { readonly used: number; readonly rss: number } {
  for (let time = 0; time < 2; time++) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  const { heapUsed, external, rss } = process.memoryUsage()
  return { used: heapUsed + external, rss }
}

// Compilers and pools have their size by then.
await (await fill(1_000)).close()
const before = readMemory()
const ledger = await fill(Number(count))
const after = readMemory()
console.log(JSON.stringify({ usedBytes: after.used - before.used, rssBytes: after.rss - before.rss }))
await ledger.close()
await store.close()
