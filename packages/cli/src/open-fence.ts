import { ensureInstanceKeys, openNatsAccount, type InstanceKeys, type NatsAccount } from '@parley/identity'
import { createSystemRandom } from '@parley/ports'
import type { CliContext } from './cli-context.ts'

/** What an issuer needs behind a fenced broker; empty where there is none. */
export interface IssuerFence {
  /** For `openFileIssuer`. */
  readonly issuer: { readonly natsAccount?: NatsAccount }
  /** For `createIssuerNode`: newcomers can reach one instance alone, so it has to be the same after every start. */
  readonly node?: { readonly keys: InstanceKeys }
}

/**
 * Opens the account of a fenced broker, and the keys that the issuer of a folder has as an instance; they are made at the
 * first time. Rejects as `openNatsAccount` and `readKeyFile` do.
 */
export async function openFence(
  context: CliContext,
  dir: string,
  accountDir: string | undefined,
): Promise<IssuerFence> {
  if (accountDir === undefined) return { issuer: {} }
  const { protection } = context
  const random = createSystemRandom()
  const natsAccount = await openNatsAccount({ dir: accountDir, ...protection })
  return { issuer: { natsAccount }, node: { keys: await ensureInstanceKeys({ dir, random, ...protection }) } }
}
