import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { runCommand } from './run-command.ts'
import { describeLosses, parseVersion } from './version.ts'

/** Where a binary came from. */
export type BinarySource = 'NATS_SERVER' | 'PATH' | 'cache' | 'apt-download' | 'apt-install'

/** A nats-server program that was seen to run on this machine. */
export interface NatsServerBinary {
  /** Absolute path. */
  readonly path: string
  /** For instance `2.15.1`. */
  readonly version: string
  /** Lower-case hex of the file, so that a report can say exactly what ran. */
  readonly sha256: string
  readonly source: BinarySource
  /** What this version lacks and what went wrong on the way to it, one sentence each. */
  readonly warnings: readonly string[]
}

/** Runs `path --version`; says what it is, or why it cannot be used. */
export async function probeBinary(
  path: string,
  source: BinarySource,
): Promise<{ readonly binary: NatsServerBinary } | { readonly problem: string }> {
  const result = await runCommand(path, ['--version'], { timeoutMs: 10_000 })
  const version = result.code === 0 ? parseVersion(result.stdout) : undefined
  if (version === undefined) {
    const said = result.output.trim().split('\n').at(-1) ?? ''
    return { problem: `${path} --version printed no version of a nats-server${said === '' ? '' : ` (${said})`}` }
  }
  return { binary: { path, version, sha256: await hashFile(path), source, warnings: describeLosses(version) } }
}

/** Computes the SHA-256 of a file, as lower-case hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) hash.update(chunk)
  return hash.digest('hex')
}
