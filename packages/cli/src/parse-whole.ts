import { InvalidArgumentError } from 'commander'

/** Reads a whole number from 0 up. Throws commander's error, which names the option. */
export function parseWhole(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.')
  return value
}
