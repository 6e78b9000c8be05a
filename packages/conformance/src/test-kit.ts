/** What an assertion offers. The names and meanings are those of vitest and jest. */
export interface Expectation {
  toBe(expected: unknown): void
  toEqual(expected: unknown): void
  toThrow(expected?: unknown): void
  readonly rejects: { toMatchObject(expected: object): Promise<void> }
}

/** The functions of a test runner that the suites use, so that this package depends on none. */
export interface TestKit {
  readonly describe: (name: string, define: () => void) => unknown
  readonly it: (name: string, run: () => Promise<void>) => unknown
  readonly expect: (actual: unknown) => Expectation
}
