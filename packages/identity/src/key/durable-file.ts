import { link, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Random } from '@parley/ports'

/** How a file is written that a crash must not harm. */
export interface DurableFile {
  /** Names the draft beside it. */
  readonly random: Random
  /** Permission bits, for instance 0o600. */
  readonly mode: number
}

/** Makes a file that is not there yet, durably: whole, or not at all. Rejects as the system does, with `EEXIST` if it is there. */
export async function createDurableFile(path: string, text: string, options: DurableFile): Promise<void> {
  const draft = await writeDraft(path, text, options)
  try {
    await link(draft, path)
  } finally {
    await unlink(draft)
  }
  await syncFolder(dirname(path))
}

/** Replaces a file durably: a reader, and a crash, sees the old text or the new one. Rejects as the system does. */
export async function replaceDurableFile(path: string, text: string, options: DurableFile): Promise<void> {
  await rename(await writeDraft(path, text, options), path)
  await syncFolder(dirname(path))
}

/** Makes the names in a folder durable; Windows has no such call and needs none. */
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

async function writeDraft(path: string, text: string, { random, mode }: DurableFile): Promise<string> {
  const draft = `${path}.${Buffer.from(random.bytes(8)).toString('hex')}.tmp`
  const file = await open(draft, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  return draft
}
