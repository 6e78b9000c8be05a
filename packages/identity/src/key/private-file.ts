import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Random } from '@parley/ports'
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
    throw new MeshError('identity.key-file-invalid', `${path} cannot be read (${errnoOf(cause) ?? 'unknown'})`, {
      cause,
    })
  }
}

/** Replaces a file that only its owner may read: a reader, and a crash, sees the old text or the new one. */
export async function replacePrivateText(path: string, text: string, random: Random): Promise<void> {
  try {
    await rename(await writePrivateDraft(path, text, random), path)
    await syncFolder(dirname(path))
  } catch (cause) {
    throw new MeshError('identity.key-file-invalid', `${path} cannot be written (${errnoOf(cause) ?? 'unknown'})`, {
      cause,
    })
  }
}

/** Writes a text durably beside a path, with mode 0600, and returns where. */
export async function writePrivateDraft(path: string, text: string, random: Random): Promise<string> {
  const draft = `${path}.${Buffer.from(random.bytes(8)).toString('hex')}.tmp`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  return draft
}

/** Makes a new name durable; Windows has no such call and needs none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Returns the code of an error of the operating system. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
