import { InvalidArgumentError } from 'commander'

/** Reads a trust score, 0 to 1000. Throws commander's error, which names the argument. */
export function parseScore(text: string): number {
  const score = Number(text)
  if (!/^\d{1,4}$/.test(text) || score > 1000) throw new InvalidArgumentError('It must be a whole number, 0 to 1000.')
  return score
}
