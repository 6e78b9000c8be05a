import type { IssuerFolder } from '@parley/identity'
import { createSystemClock, createSystemRandom, type Random } from '@parley/ports'
import type { CliContext } from './cli-context.ts'

/** Describes an issuer's folder to `@parley/identity`, opened with the passphrase of the environment. */
export function issuerFolder(dir: string, { protection }: CliContext): IssuerFolder & { readonly random: Random } {
  return {
    dir,
    clock: createSystemClock(),
    random: createSystemRandom(),
    ...protection,
  }
}
