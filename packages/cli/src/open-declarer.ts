import { createKeySigner, readKeyFile, type Declarer } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import type { CliContext } from './cli-context.ts'
import { parseIssued } from './parse-issued.ts'
import { readInstance } from './read-instance.ts'
import { readText } from './read-file.ts'

/**
 * Opens what a person signs with. Rejects with `cli.usage` where the key is not the one that the credential was issued to:
 * what it signed could never count. Rejects as `readKeyFile` does.
 */
export async function openDeclarer(
  { protection }: CliContext,
  { credential, key }: { readonly credential: string; readonly key: string },
): Promise<Declarer> {
  const issued = parseIssued(credential, await readText(credential))
  const signer = createKeySigner(await readKeyFile(key, protection))
  const instance = readInstance(issued.credential)
  if (instance !== signer.did)
    throw new MeshError('cli.usage', `the key ${key} is ${signer.did}, but ${credential} was issued to ${instance}`)
  return { signer, ...issued }
}
