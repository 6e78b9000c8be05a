import { MeshError } from '@parley/protocol'
import { readText } from './read-file.ts'

/** Reads a signed answer from a file: what `parley approve grant` printed, with or without `--json`. Rejects with `cli.usage`. */
export async function readApprovalFile(path: string): Promise<string> {
  const text = await readText(path)
  const token = /(?:^|["\s])(eyJ[\w-]*\.[\w-]+\.[\w-]+)(?:["\s]|$)/.exec(text)?.[1]
  if (token !== undefined) return token
  throw new MeshError('cli.usage', `${path} holds no signed answer: give what parley approve grant printed`)
}
