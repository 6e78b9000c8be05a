import type { TestModule, TestSuite } from 'vitest/node'

/** What a run came to, in test cases. Whatever broke outside a test case counts as one failure each. */
export interface ClosingCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Counts a finished run. A file that does not load, a hook that throws, an unhandled error and a test that never ended
 * are failures, so that a broken run cannot look like a good one.
 */
export function countRun(modules: readonly TestModule[], unhandledErrors: number): ClosingCounts {
  let passed = 0
  let failed = unhandledErrors
  let skipped = 0
  const countErrors = (unit: TestModule | TestSuite): void => {
    failed += unit.errors().length
  }
  for (const module of modules) {
    countErrors(module)
    for (const suite of module.children.allSuites()) countErrors(suite)
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') passed++
      else if (state === 'skipped') skipped++
      else failed++
    }
  }
  return { passed, failed, skipped }
}

/** Formats `N passed, N failed`, and `, N skipped` where there are any. */
export function formatClosingLine({ passed, failed, skipped }: ClosingCounts): string {
  const line = `${String(passed)} passed, ${String(failed)} failed`
  return skipped > 0 ? `${line}, ${String(skipped)} skipped` : line
}
