#!/usr/bin/env node
import process from 'node:process'
import { MeshError } from '@parley/protocol'
import { describeFileError } from './describe-file-error.ts'
import { describeError, formatError } from './describe-error.ts'
import { exitCodes } from './exit-code.ts'
import { assertNodeVersion } from './node-version.ts'

/**
 * Ends quietly when whoever reads has enough (`parley audit export … | head`), and not so when a disk is full: what was printed
 * is not all there is. A command that listens, too, ends itself.
 */
function endWithReader(this: NodeJS.WriteStream, error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') {
    const lost = new MeshError('cli.file-failed', `what is printed cannot be written: ${describeFileError(error)}`)
    if (this !== process.stderr) process.stderr.write(formatError(describeError(lost)))
    process.exit(exitCodes.failure)
  }
  if (this.listenerCount('error') > 1) return
  process.exit(process.exitCode ?? exitCodes.ok)
}

process.stdout.on('error', endWithReader)
process.stderr.on('error', endWithReader)
try {
  assertNodeVersion(process.version)
  const { runCli } = await import('./run-cli.ts')
  process.exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    out: (data) => {
      process.stdout.write(data)
    },
    err: (text) => {
      process.stderr.write(text)
    },
    isTerminal: process.stdout.isTTY,
  })
} catch (error) {
  process.stderr.write(formatError(describeError(error)))
  process.exitCode = exitCodes.failure
}
