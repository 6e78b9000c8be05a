import { describeError } from '../describe-error.ts'

/** What one check of `parley doctor` found. */
export interface Finding {
  /** What was looked at, for instance `nats-server`. */
  readonly check: string
  readonly level: 'ok' | 'warn' | 'fail'
  readonly text: string
  /** What to do; given unless all is well. */
  readonly todo?: string
}

/** Makes a finding out of what a check threw: a code's own advice is the best there is. */
export function failed(check: string, error: unknown): Finding {
  const { code, message, todo } = describeError(error)
  return { check, level: 'fail', text: `${code}: ${message}`, todo }
}
