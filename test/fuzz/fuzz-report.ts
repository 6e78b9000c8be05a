/** What a run of the fuzzer came to. */
export interface FuzzReport {
  readonly frames: number
  /** Frames that were signed again with a real key after they were changed. */
  readonly signedAgain: number
  /** How many frames, and from `header` on envelopes, reached each stage, in the order of the stages. */
  readonly reached: readonly (readonly [stage: string, count: number])[]
  /** The most frequent codes first. */
  readonly refused: readonly (readonly [code: string, count: number])[]
  readonly secondsTaken: number
  /** Why the run does not hold; empty when it does. */
  readonly problems: readonly string[]
}

/** Formats a report for a person. The last line is the count and the verdict. */
export function formatFuzzReport(report: FuzzReport): readonly string[] {
  const { frames, signedAgain, reached, refused, secondsTaken, problems } = report
  const width = Math.max(...[...reached, ...refused].map(([name]) => name.length))
  const row = ([name, count]: readonly [string, number]): string =>
    `  ${name.padEnd(width)}  ${count.toLocaleString('en-US').padStart(12)}`
  const perFrameUs = (secondsTaken * 1e6) / Math.max(1, frames)
  return [
    'reached',
    ...reached.map(row),
    'refused',
    ...refused.map(row),
    `${signedAgain.toLocaleString('en-US')} of the frames were signed again with a real key; ${perFrameUs.toFixed(0)} µs a frame`,
    ...problems.map((problem) => `FAILED: ${problem}`),
    `${frames.toLocaleString('en-US')} frames: ${problems.length === 0 ? 'no crash, no acceptance, no growth, no quadratic time' : 'FAILED'}`,
  ]
}
