import type { Declined, Hop, LookupAnswer } from '@parley/mesh'
import type { InboxOutcome } from '@parley/ports'
import type { FoundOutside } from './participant.ts'

/** Tells what the inbox remembers, as a lookup is answered. */
export function readKnown(outcome: InboxOutcome): LookupAnswer {
  if (outcome.kind === 'ok') return { found: 'ok', output: JSON.parse(outcome.output) as unknown }
  return { found: 'declined', error: readError(outcome.error) }
}

/** Answers as before. What was remembered is what the handler answered then, so it has the contract's types. */
export function answerAgain<Result, Declared>(
  outcome: InboxOutcome,
  hop: Pick<Hop<Declared>, 'decline'>,
): Result | Declined<Declared> {
  if (outcome.kind === 'ok') return JSON.parse(outcome.output) as Result
  const { name, details } = readError(outcome.error)
  return hop.decline(name as keyof Declared & string, details as Declared[keyof Declared & string])
}

/** Makes what the inbox remembers of what was found out about an effect. */
export function toInboxOutcome(found: Exclude<FoundOutside, { readonly found: 'absent' }>): InboxOutcome {
  return found.found === 'ok'
    ? { kind: 'ok', output: JSON.stringify(found.output ?? null) }
    : { kind: 'declined', error: JSON.stringify(found.error) }
}

function readError(text: string): { readonly name: string; readonly details: unknown } {
  return JSON.parse(text) as { readonly name: string; readonly details: unknown }
}
