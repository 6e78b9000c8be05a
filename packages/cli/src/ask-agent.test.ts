import { describe, expect, it } from 'vitest'
import { tellUndone } from './ask-agent.ts'
import type { CliContext } from './cli-context.ts'

describe('tellUndone', () => {
  it('lets nothing that an agent says pass for a line of this program', () => {
    const printed: string[] = []
    const context = {
      print: (_json: boolean, lines: readonly string[]) => printed.push(...lines),
      end: () => undefined,
    } as unknown as CliContext
    const reason = 'no\n\u001b[32mgranted\u001b[0m'
    tellUndone(context, false, { kind: 'refused', code: 'policy.approval-invalid', reason, hop: 'h1' })
    expect(printed[0]).toBe('refused policy.approval-invalid: no\\u000a\\u001b[32mgranted\\u001b[0m')
    expect(printed.at(-1)).toBe('hop h1')
  })
})
