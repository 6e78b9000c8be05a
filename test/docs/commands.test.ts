import { describe, expect, it } from 'vitest'
import { listFiles, readText } from '../architecture/source-tree.ts'
import { runCaptured } from '../integration/captured-cli.ts'

/** A command line of `parley` that a page prints, without what stands before and around it. */
interface Printed {
  readonly page: string
  readonly line: string
}

const printed: readonly Printed[] = listFiles('.')
  .filter((path) => path.endsWith('.md'))
  .flatMap((page) => {
    const text = readText(page)
    const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'))
    const spans = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
    return [...blocks, ...spans].flatMap((line) => {
      const [, command] = /^(?:\$ |export \w+=\$\(|npx -y pnpm@10 )?parley ([a-z].*)$/.exec(line) ?? []
      // What is left out with `…` is no command line.
      return command === undefined || /^\S+ …/.test(command) ? [] : [{ page, line: command }]
    })
  })

const helps = new Map<string, Promise<string>>()
const helpOf = (...path: readonly string[]): Promise<string> => {
  const key = path.join(' ')
  const known = helps.get(key) ?? runCaptured([...path, '--help']).then(({ code, out }) => (code === 0 ? out : ''))
  helps.set(key, known)
  return known
}

/** The help of the command that a line names: its first word, and its second one where that is a command as well. */
async function helpFor(line: string): Promise<string> {
  const [first = '', words = ''] = line.split(/\s+/)
  // Of `list|grant|deny` the first stands for all.
  const [second = ''] = words.split(/\\?\|/)
  const nested = /^[a-z][a-z-]*$/.test(second) ? await helpOf(first, second) : ''
  return nested.startsWith(`Usage: parley ${first} ${second}`) ? nested : helpOf(first)
}

describe('commands on pages', () => {
  it('are commands, with options that they take', async () => {
    expect(printed.length).toBeGreaterThan(50)
    const wrong: string[] = []
    for (const { page, line } of printed) {
      const help = await helpFor(line)
      const options = [...line.matchAll(/(?<=[\s[(|])--[a-z][a-z-]*/g)].map(([option]) => option)
      const unknown = options.filter((option) => !new RegExp(`${option}(?![a-z-])`).test(help))
      if (help === '' || unknown.length > 0) wrong.push(`${page}: parley ${line}: ${unknown.join(' ') || 'no command'}`)
    }
    expect(wrong).toEqual([])
  })
})
