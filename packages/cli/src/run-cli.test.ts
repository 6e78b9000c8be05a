import { describe, expect, it } from 'vitest'
import type { CliHost } from './cli-host.ts'
import { runCli } from './run-cli.ts'

describe('runCli', () => {
  const broken = (err: string[]): CliHost => ({
    env: {},
    isTerminal: false,
    out: () => {
      throw new RangeError('the printer is on fire')
    },
    err: (text) => err.push(text),
  })

  it('tells of a bug in two lines and ends with 3', async () => {
    const err: string[] = []
    expect(await runCli(['policy', 'show'], broken(err))).toBe(3)
    expect(err).toEqual([
      'bug: the printer is on fire\nwhat to do: Run it again with --debug, and report what it prints.\n',
    ])
  })

  it('adds the stack with --debug', async () => {
    const err: string[] = []
    expect(await runCli(['--debug', 'policy', 'show'], broken(err))).toBe(3)
    expect(err.join('')).toContain('run-cli.test.ts')
  })
})
