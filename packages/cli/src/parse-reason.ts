import { InvalidArgumentError } from 'commander'

/** Reads why something is done: one line, since it goes on the record. Throws commander's error, which names the option. */
export function parseReason(text: string): string {
  if (/^[^\p{Cc}]{1,256}$/u.test(text)) return text
  throw new InvalidArgumentError('It must be one line of 1 to 256 characters.')
}
