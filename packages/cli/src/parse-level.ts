import { InvalidArgumentError } from 'commander'
import type { Assurance } from '@parley/identity'

/** Reads how strongly a person signed in, a level of NIST SP 800-63B. Throws commander's error, which names the option. */
export function parseLevel(text: string): Assurance {
  if (text === '1' || text === '2' || text === '3') return Number(text) as Assurance
  throw new InvalidArgumentError('It must be 1, 2 or 3.')
}
