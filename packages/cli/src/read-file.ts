import { constants } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { MeshError } from '@parley/protocol'
import { describeFileError } from './describe-file-error.ts'

/**
 * Reads a file that the command line names, or a pipe, and never more than `maxBytes`. Rejects with `cli.usage` if it cannot be
 * read or is larger.
 */
export async function readBytes(path: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of createReadStream(path, { end: maxBytes }) as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
    }
  } catch (cause) {
    throw new MeshError('cli.usage', `${path} cannot be read: ${describeFileError(cause)}`, { cause })
  }
  if (length > maxBytes) throw new MeshError('cli.usage', `${path} is larger than ${String(maxBytes)} bytes`)
  return Buffer.concat(chunks, length)
}

/** Reads a file that the command line names as text, as far as a text can go. Rejects with `cli.usage` if it cannot be read. */
export async function readText(path: string): Promise<string> {
  return (await readBytes(path, constants.MAX_STRING_LENGTH)).toString('utf8')
}
