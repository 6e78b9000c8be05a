import type { KeySigner } from '@parley/identity'
import { signTexts } from '../vectors/token-parties.ts'

/** Claims or header of a token; `undefined` leaves one out. */
export type Fields = Readonly<Record<string, unknown>>

/** Reads the claims of a token, whose signature is not checked. */
export function claimsOf(token: string): Fields {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Fields
}

/** Signs a token anew, with other header fields and claims than it has. */
export function resign(
  token: string,
  signer: KeySigner,
  changes: { header?: Fields; claims?: Fields },
): Promise<string> {
  const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Fields
  const written = [
    { ...header, ...changes.header },
    { ...claimsOf(token), ...changes.claims },
  ] as const
  return signTexts(signer, JSON.stringify(written[0]), JSON.stringify(written[1]))
}
