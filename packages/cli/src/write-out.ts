import { open, rm } from 'node:fs/promises'
import { MeshError } from '@parley/protocol'
import type { CliContext } from './cli-context.ts'
import { describeFileError } from './describe-file-error.ts'

/** Where an export goes, as `--out` says it. */
export interface OutFlags {
  readonly out?: string
  readonly json?: boolean
}

/** What every `--out` says of itself. */
export const outText = 'a new file; default -, standard output'

/** Tells whether `--out` means standard output. */
export function isStandardOutput(out: string | undefined): out is undefined | '-' {
  return out === undefined || out === '-'
}

/**
 * Writes lines to standard output, or into a new file and says how many. A file of which a part could not be made is removed.
 * Rejects with `cli.usage` where the file cannot be made, or is there already.
 */
export async function writeLines(
  context: CliContext,
  { out, json = false }: OutFlags,
  chunks: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  if (isStandardOutput(out)) {
    for await (const chunk of chunks) context.host.out(chunk)
    return
  }
  let lines = 0
  await using file = await open(out, 'wx').catch((cause: unknown) => {
    throw new MeshError('cli.usage', `${out} cannot be made: ${describeFileError(cause)}; name a new file`, { cause })
  })
  try {
    for await (const chunk of chunks) {
      lines += chunk.split('\n').length - 1
      await file.appendFile(chunk).catch((cause: unknown) => {
        throw new MeshError('cli.file-failed', `${out} could not be written: ${describeFileError(cause)}`, { cause })
      })
    }
  } catch (error) {
    await rm(out, { force: true })
    throw error
  }
  context.print(json, [`${String(lines)} lines written to ${out}`], { out, lines })
}
