import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@parley/ports'
import { type InstanceDid, isMeshError } from '@parley/protocol'
import { createNkey, type Nkey } from '../nats/nkey.ts'
import { readKeyFile, writeKeyFile } from './key-file.ts'
import { createKeySigner, type KeySigner } from './key-signer.ts'
import { generateSeed } from './seed.ts'

/** The keys of one instance. Neither is derived from the other: a broker chooses the nonce that its key signs. */
export interface InstanceKeys {
  /** Signs envelopes; its DID is the instance. */
  readonly signer: KeySigner
  /** Logs in to a NATS broker. */
  readonly nkey: Nkey
}

/** Where the keys of an instance are kept, and how they are opened. */
export interface InstanceKeyFolder {
  readonly dir: string
  readonly passphrase?: string
}

const signingFile = 'instance.key'
const nkeyFile = 'nats-user.key'

/** Makes the keys of an instance, as it does at every start unless it was given some. */
export function generateInstanceKeys(random: Random): InstanceKeys {
  return { signer: createKeySigner(generateSeed(random)), nkey: createNkey('U', generateSeed(random)) }
}

/**
 * Makes keys in a folder, for a broker that lists its users: there an instance cannot make its keys at its start. Returns
 * what the broker is told. Only one process at a time may use them. Rejects with `identity.key-file-exists`.
 */
export async function initInstanceKeys(
  folder: InstanceKeyFolder & { readonly random: Random },
): Promise<{ readonly instance: InstanceDid; readonly nkey: string }> {
  const { dir, random } = folder
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const [signing, nkey] = [generateSeed(random), generateSeed(random)]
  const protection = { random, ...passphraseOf(folder) }
  await writeKeyFile(join(dir, signingFile), signing, protection)
  await writeKeyFile(join(dir, nkeyFile), nkey, protection)
  return { instance: createKeySigner(signing).did, nkey: createNkey('U', nkey).nkey }
}

/** Opens the keys of a folder, and makes them there first if there are none. Rejects as `readKeyFile` does. */
export async function ensureInstanceKeys(
  folder: InstanceKeyFolder & { readonly random: Random },
): Promise<InstanceKeys> {
  await initInstanceKeys(folder).catch((error: unknown) => {
    if (!isMeshError(error) || error.code !== 'identity.key-file-exists') throw error
  })
  return openInstanceKeys(folder)
}

/** Opens the keys of a folder. Rejects as `readKeyFile` does. */
export async function openInstanceKeys(folder: InstanceKeyFolder): Promise<InstanceKeys> {
  const read = (file: string): Promise<Uint8Array> => readKeyFile(join(folder.dir, file), passphraseOf(folder))
  return { signer: createKeySigner(await read(signingFile)), nkey: createNkey('U', await read(nkeyFile)) }
}

function passphraseOf({ passphrase }: InstanceKeyFolder): { readonly passphrase?: string } {
  return passphrase === undefined ? {} : { passphrase }
}
