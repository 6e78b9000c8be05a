import { RE2JS } from 're2js'
import { Failure } from './failure.ts'

/** Units of a pattern's text, instructions of its program, and units of what it reads: together they bound its time. */
const patternLimits = { text: 256, program: 512, read: 2_048 } as const

/** A regular expression whose time is linear in what it reads (RE2), and bounded. */
export interface LinearPattern {
  /** Tells whether the pattern is found anywhere in `text`; a text that is too long is not judged. */
  test(text: string): boolean | Failure
  /** Replaces every match by `replacement`, literally; a text that is too long is replaced whole. */
  replace(text: string, replacement: string): string
}

/** Compiles a pattern in RE2's syntax. Returns what is wrong with it as a text: no back-references, no look-around. */
export function compilePattern(text: string): LinearPattern | string {
  if (text.length > patternLimits.text) return `the pattern is longer than ${String(patternLimits.text)} characters`
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(text)
  } catch (error) {
    const problem = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'not a pattern'
    return `the pattern is not one of RE2: ${problem}`
  }
  if (compiled.programSize() > patternLimits.program) return 'the pattern repeats too much: it could take too long'
  const tooLong = new Failure(`matches reads at most ${String(patternLimits.read)} characters`)
  return {
    test: (read: string) => (read.length > patternLimits.read ? tooLong : compiled.test(read)),
    replace: (read: string, replacement: string) =>
      read.length > patternLimits.read ? replacement : compiled.matcher(read).replaceAll(() => replacement),
  }
}
