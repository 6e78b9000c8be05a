import { MeshError } from '@parley/protocol'

/** Parses JSON of the command line. Throws `cli.usage`, which says what is none. */
export function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MeshError('cli.usage', `${what} is not JSON; quote it for the shell, like '{"to":"SFO"}'`, { cause })
  }
}
