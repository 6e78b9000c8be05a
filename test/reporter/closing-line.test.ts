import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

interface Run {
  readonly code: number
  readonly lastLine: string
}

function runFixtures(...names: readonly string[]): Promise<Run> {
  const config = join(import.meta.dirname, 'fixtures/vitest.config.ts')
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')))
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [vitest, 'run', '--config', config, ...names],
      { cwd: root, env: { ...env, CI: 'true' } },
      (_, stdout) => {
        resolve({ code: child.exitCode ?? -1, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' })
      },
    )
  })
}

describe('createClosingLineReporter', () => {
  it('ends a good run with its counts and leaves skipped out when there are none', async () => {
    expect(await runFixtures('good')).toEqual({ code: 0, lastLine: '1 passed, 0 failed' })
  })

  it('counts passed, failed and skipped test cases', async () => {
    expect(await runFixtures('mixed')).toEqual({ code: 1, lastLine: '2 passed, 1 failed, 1 skipped' })
  })

  it('counts a file that does not load and an unhandled error as failures', async () => {
    expect(await runFixtures('unloadable', 'unhandled')).toEqual({ code: 1, lastLine: '1 passed, 2 failed' })
  })

  it('counts a hook that throws as a failure', async () => {
    expect(await runFixtures('hook')).toEqual({ code: 1, lastLine: '0 passed, 1 failed, 1 skipped' })
  })
})
