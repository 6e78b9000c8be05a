import { open } from 'node:fs/promises'
import { isMeshError, MeshError } from '@parley/protocol'

/**
 * Reads a small file that only its owner may read. Rejects with `identity.key-file-permissions` if group or others may (not
 * checked on Windows), `identity.key-file-invalid` if it is missing, too large or no file.
 */
export async function readPrivateText(path: string, maxBytes: number): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const facts = await file.stat()
      if (process.platform !== 'win32' && (facts.mode & 0o077) !== 0) {
        const mode = (facts.mode & 0o777).toString(8)
        throw new MeshError('identity.key-file-permissions', `${path} has mode ${mode}; run chmod 600 on it`)
      }
      if (!facts.isFile() || facts.size > maxBytes)
        throw new MeshError('identity.key-file-invalid', 'it is not a small regular file')
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (isMeshError(cause) && cause.code === 'identity.key-file-permissions') throw cause
    const why = cause instanceof Error ? cause.message : 'unknown'
    throw new MeshError('identity.key-file-invalid', `${path} cannot be read: ${why}`, { cause })
  }
}
