import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { beforeAll, describe, expect, it } from 'vitest'
import { createCliContext } from './cli-context.ts'
import { createProgram } from './create-program.ts'

let commands: readonly { readonly path: string; readonly command: Command }[]
beforeAll(async () => {
  const host = { env: {}, isTerminal: false, out: () => undefined, err: () => undefined }
  const program = await createProgram(createCliContext(host, { noColour: true }, () => undefined))
  const list = (command: Command, path: string): typeof commands =>
    command.commands.length === 0
      ? [{ path, command }]
      : command.commands.flatMap((below) => list(below, `${path} ${below.name()}`))
  commands = list(program, 'parley')
})

describe('createProgram', () => {
  it('gives every command --json', () => {
    const without = commands.filter(({ command }) => !command.options.some(({ long }) => long === '--json'))
    expect(without.map(({ path }) => path)).toEqual([])
  })

  it('gives an option the same value in every command', () => {
    const forms = new Map<string, Set<string>>()
    for (const { command } of commands)
      for (const { long, flags } of command.options)
        forms.set(long ?? flags, (forms.get(long ?? flags) ?? new Set()).add(flags.replace(/^-\w, /, '')))
    const varied = [...forms].filter(([, each]) => each.size > 1).map(([, each]) => [...each])
    // A head is of what is verified: an audit log has a size and a root, a saga entries and a hash.
    expect(varied).toEqual([['--head <entries:hash>', '--head <size:root>']])
  })

  it('says of an option in its help whether it is required, may be repeated, and what it is otherwise', () => {
    const helpOf = (path: string): string =>
      (commands.find((one) => one.path === path)?.command.helpInformation() ?? '').replaceAll(/\s+/g, ' ')
    expect(helpOf('parley why')).toContain('once for each side; may be repeated; required')
    expect(helpOf('parley approve list')).not.toContain('required')
    expect(helpOf('parley store create')).toContain('on how many servers; default 1')
    expect(helpOf('parley nats-config user')).toContain('one of monitor, operator; default monitor')
  })

  it('has each of its commands on its page', async () => {
    const page = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const missing = commands.filter(({ path }) => {
      const [parley = '', group = '', ...rest] = path.split(' ')
      return [`${parley} ${group}`, ...rest].some((words) => !new RegExp(`\\b${words}\\b`).test(page))
    })
    expect(missing.map(({ path }) => path)).toEqual([])
  })
})
