import { describe, expect, it } from 'vitest'
import { escapeControls, printable } from './printable.ts'

describe('printable', () => {
  it('escapes all that moves a cursor or turns a line around', () => {
    expect(printable('a\u001b[2J\nb\u202ec\u009b')).toBe('a\\u001b[2J\\u000ab\\u202ec\\u009b')
  })
})

describe('escapeControls', () => {
  it('leaves lines and the colours of this program, and escapes the rest', () => {
    expect(escapeControls('\u001b[32mok\u001b[0m\n\tx')).toBe('\u001b[32mok\u001b[0m\n\tx')
    expect(escapeControls('\u001b[2J\u001b]0;t\u0007\r\u202e')).toBe('\\u001b[2J\\u001b]0;t\\u0007\\u000d\\u202e')
    expect(escapeControls('\u009b[31m')).toBe('\\u009b[31m')
  })
})
