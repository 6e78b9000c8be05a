import type { IssuedCredential } from '@parley/ports'
import { MeshError } from '@parley/protocol'

/** Reads what `parley credential issue --json` printed. Throws `cli.usage`. */
export function parseIssued(file: string, text: string): IssuedCredential {
  try {
    const { credential, statement, expiresAtMs } = JSON.parse(text) as Partial<Record<string, unknown>>
    if (typeof credential === 'string' && typeof statement === 'string')
      // What holds is in the credential itself; this is only when to ask for another one.
      return { credential, statement, expiresAtMs: typeof expiresAtMs === 'number' ? expiresAtMs : 0 }
  } catch (cause) {
    throw new MeshError('cli.usage', `${file} is not the JSON of a credential`, { cause })
  }
  throw new MeshError('cli.usage', `${file} holds no credential with its statement`)
}
