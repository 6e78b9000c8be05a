import { readFile } from 'node:fs/promises'
import { MeshError } from '@parley/protocol'
import { describeFileError } from './describe-file-error.ts'

/** Reads a file that the command line names. Rejects with `cli.usage` if it cannot be read. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new MeshError('cli.usage', `${path} cannot be read: ${describeFileError(cause)}`, { cause })
  }
}
