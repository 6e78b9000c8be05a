import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { createNkey, generateSeed, readKeyFile, writeKeyFile, type Nkey } from '@parley/identity'
import { createSystemRandom } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import {
  formatStoreAccount,
  listStorePermissions,
  openNatsStore,
  storeInboxPrefix,
  type StoreUser,
} from '@parley/store-nats'
import { dialNats } from '@parley/transport-nats'
import type { CliContext } from '../cli-context.ts'
import { findBroker } from '../broker-options.ts'
import { parseWhole } from '../parse-whole.ts'
import { collect } from '../repeatable.ts'

interface ConfigFlags {
  readonly store: readonly string[]
  readonly json?: boolean
}

interface CreateFlags {
  readonly nats?: string
  readonly key?: string
  readonly replicas: number
  readonly maxBytes?: number
  readonly json?: boolean
}

/** The file of the one who makes streams; no store can have its name. */
const operatorFile = 'store.operator.key'

/** Adds `parley store config` and `parley store create`: stores on JetStream, made by an operator. */
export function addStoreCommands(program: Command, context: CliContext): void {
  const command = program.command('store').description('stores on JetStream, in an account apart from the mesh')
  command
    .command('config <dir>')
    .description(
      'print that account for nats-server; makes a key for each store in the folder, and one for the operator',
    )
    .requiredOption('--store <name>', 'a store, for instance desk', collect)
    .option('--json', 'print it as a text in JSON')
    .action(async (dir: string, { store: names, json = false }: ConfigFlags) => {
      const places = names.map((name) => ({ name, inboxPrefix: storeInboxPrefix(name) }))
      // A name that no store can have makes no key, least of all outside of the folder.
      for (const place of places) listStorePermissions(place)
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const users: StoreUser[] = []
      for (const place of places)
        users.push({ ...place, nkey: (await ensureKey(context, join(dir, `${place.name}.key`))).nkey })
      const { nkey } = await ensureKey(context, join(dir, operatorFile))
      const config = formatStoreAccount('stores', users, nkey)
      context.print(json, [config.trimEnd()], { stores: names, config })
    })
  command
    .command('create <name>')
    .description(
      'make the streams of a store, or check those that are there; nodes then open it with provision: verify',
    )
    .option('--nats <url>', 'the broker; default NATS_URL')
    .option('--key <file>', `the operator's key, ${operatorFile} of the folder`)
    .option('--replicas <n>', 'on how many servers', parseWhole, 1)
    .option('--max-bytes <n>', 'what each stream may take; a full one refuses writes', parseWhole)
    .option('--json', 'print what it is as JSON')
    .action(async (name: string, flags: CreateFlags) => {
      const servers = findBroker(context, flags)
      const login = flags.key === undefined ? {} : { nkey: (await readKey(context, flags.key)).seed }
      const store = await openNatsStore({
        name,
        replicas: flags.replicas,
        ...(flags.maxBytes === undefined ? {} : { maxBytes: flags.maxBytes }),
        connect: () => dialNats({ servers, maxReconnectAttempts: 0, name: 'parley store', ...login }),
      })
      const { brokerVersion, replicas, lacks } = store.facts()
      await store.close()
      const lines = [`${name} is ready: nats-server ${brokerVersion}, replicas ${String(replicas)}`, ...lacks]
      context.print(flags.json ?? false, lines, { name, brokerVersion, replicas, lacks })
    })
}

async function readKey({ protection }: CliContext, file: string): Promise<Nkey> {
  return createNkey('U', await readKeyFile(file, protection))
}

/** Opens a key, and makes it first if there is none. */
async function ensureKey(context: CliContext, file: string): Promise<Nkey> {
  const random = createSystemRandom()
  await writeKeyFile(file, generateSeed(random), { random, ...context.protection }).catch((error: unknown) => {
    if (!isMeshError(error) || error.code !== 'identity.key-file-exists') throw error
  })
  return readKey(context, file)
}
