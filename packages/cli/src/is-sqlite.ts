import { open } from 'node:fs/promises'
import { MeshError } from '@parley/protocol'
import { describeFileError } from './describe-file-error.ts'

/** How a SQLite file begins (https://sqlite.org/fileformat.html §1.2). */
const sqliteMagic = 'SQLite format 3\0'

/** Tells a store from an export by how the file begins. Rejects with `cli.usage` for a file that cannot be read. */
export async function isSqlite(path: string): Promise<boolean> {
  try {
    await using file = await open(path, 'r')
    const { bytesRead, buffer } = await file.read(Buffer.alloc(sqliteMagic.length), 0, sqliteMagic.length, 0)
    return buffer.subarray(0, bytesRead).toString('latin1') === sqliteMagic
  } catch (cause) {
    throw new MeshError('cli.usage', `${path} cannot be read: ${describeFileError(cause)}`, { cause })
  }
}
