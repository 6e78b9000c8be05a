import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { isObjectClaim } from '../jwt/claim.ts'
import { readKeyFile, writeKeyFile } from '../key/key-file.ts'
import { generateSeed } from '../key/seed.ts'
import {
  createNatsAccount,
  mintNatsUser,
  type NatsAccount,
  type NatsAccountFacts,
  type NatsAccountSeeds,
  signNatsAccount,
} from './nats-account.ts'

/** Where the keys of a mesh on the broker are, and how they are opened. */
export interface NatsAccountFolder {
  readonly dir: string
  /** Opens the keys; without it they are protected by their file mode alone. */
  readonly passphrase?: string
}

const factsFile = 'nats-account.json'
const keyFiles = {
  operator: 'nats-operator.key',
  account: 'nats-account.key',
  signing: 'nats-signing.key',
  joining: 'nats-joining.key',
  system: 'nats-system.key',
} as const

/**
 * Makes the keys of a mesh on a NATS broker in operator mode: five key files (0600) and `nats-account.json`, which
 * is public. An issuer needs `nats-signing.key`, and `nats-joining.key` to let newcomers in; the others may be moved offline. Rejects with
 * `identity.key-file-exists` if the folder has such keys, `transport.subject-invalid` for an impossible mesh.
 */
export async function initNatsAccount(
  folder: NatsAccountFolder & { readonly mesh: string; readonly random: Random },
): Promise<NatsAccountFacts> {
  const { dir, mesh, random, passphrase } = folder
  const seeds: NatsAccountSeeds = {
    operator: generateSeed(random),
    account: generateSeed(random),
    signing: generateSeed(random),
    joining: generateSeed(random),
    system: generateSeed(random),
  }
  const facts = await signNatsAccount(mesh, seeds)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const protection = { random, ...(passphrase === undefined ? {} : { passphrase }) }
  for (const name of Object.keys(keyFiles) as (keyof typeof keyFiles)[])
    await writeKeyFile(join(dir, keyFiles[name]), seeds[name], protection)
  await writeFile(join(dir, factsFile), `${JSON.stringify(facts, undefined, 2)}\n`, { flag: 'wx' })
  return facts
}

/**
 * Opens the signing keys of a mesh that are in the folder, for an issuer or whoever makes join tokens. Rejects with
 * `identity.issuer-unavailable` and as `readKeyFile` does.
 */
export async function openNatsAccount(folder: NatsAccountFolder): Promise<NatsAccount> {
  const [signing, joining] = await Promise.all([readPresent(folder, 'signing'), readPresent(folder, 'joining')])
  return createNatsAccount(await readNatsAccount(folder.dir), {
    ...(signing ? { signing } : {}),
    ...(joining ? { joining } : {}),
  })
}

/** Mints a user that is no instance with the key of the account. Rejects as `openNatsAccount` does. */
export async function mintNatsUserFrom(
  folder: NatsAccountFolder,
  user: Parameters<typeof mintNatsUser>[2],
): Promise<string> {
  return mintNatsUser(await readNatsAccount(folder.dir), await readSeed(folder, 'account'), user)
}

/** Reads what a server is configured with. Rejects with `identity.issuer-unavailable` if it is missing or malformed. */
export async function readNatsAccount(dir: string): Promise<NatsAccountFacts> {
  const path = join(dir, factsFile)
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (isFacts(value)) return value
  } catch (cause) {
    throw new MeshError(
      'identity.issuer-unavailable',
      `${path} cannot be read; make it with \`parley nats-config operator\`, or restore it`,
      {
        cause,
      },
    )
  }
  throw new MeshError('identity.issuer-unavailable', `${path} is not an account; restore it`)
}

/** A key that was moved elsewhere is missed where it is needed. */
async function readPresent(folder: NatsAccountFolder, name: keyof typeof keyFiles): Promise<Uint8Array | undefined> {
  const names = await readdir(folder.dir).catch((cause: unknown) => {
    throw new MeshError('identity.issuer-unavailable', `${folder.dir} cannot be read`, { cause })
  })
  return names.includes(keyFiles[name]) ? readSeed(folder, name) : undefined
}

function readSeed({ dir, passphrase }: NatsAccountFolder, name: keyof typeof keyFiles): Promise<Uint8Array> {
  return readKeyFile(join(dir, keyFiles[name]), passphrase === undefined ? {} : { passphrase })
}

function isFacts(value: unknown): value is NatsAccountFacts {
  if (!isObjectClaim(value) || typeof value['mesh'] !== 'string' || typeof value['operator'] !== 'string') return false
  return [value['account'], value['system']].every(
    (part) => isObjectClaim(part) && typeof part['id'] === 'string' && typeof part['token'] === 'string',
  )
}
