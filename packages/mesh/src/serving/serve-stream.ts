import type { Logger } from '@parley/ports'
import type { Verdict } from '@parley/protocol'
import type { BareOutcome } from '../contract/outcome.ts'
import { checkSchema } from '../contract/schema.ts'
import type { Served, ServedHop } from './served.ts'

/** What came out of a generator: its return value, or why it was ended before it returned. */
export type StreamEnd =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'ended'; readonly outcome: BareOutcome }

/**
 * Runs the generator that serves a streaming capability: each part is held against the contract and sent before the
 * next is asked for. Without `send` the caller wants the output alone, and the parts go nowhere. A generator that is
 * ended early runs its `finally` blocks.
 */
export async function serveStream(
  { contract }: Served,
  made: unknown,
  hop: ServedHop,
  send: ((value: unknown) => Promise<Verdict>) | undefined,
  logger: Logger,
): Promise<StreamEnd> {
  const broken: StreamEnd = { kind: 'ended', outcome: { kind: 'unknown', code: 'contract.output-invalid' } }
  const complain = (problems: string): StreamEnd => {
    logger.error('contract.output-invalid', { capability: contract.capability, hop: hop.id, problems })
    return broken
  }
  if (!contract.stream || !isGenerator(made)) return complain('what serves a streaming capability is no generator')
  for (;;) {
    const next = await made.next()
    if (next.done === true) return { kind: 'returned', value: next.value }
    const checked = await checkSchema(contract.stream, next.value)
    if (checked.kind === 'invalid') {
      await made.return(undefined)
      return complain(`a part does not fit: ${checked.problems}`)
    }
    const verdict = send ? await send(checked.value) : undefined
    if (verdict?.kind !== 'deny') continue
    await made.return(undefined)
    return { kind: 'ended', outcome: { kind: 'unknown', code: verdict.code } }
  }
}

function isGenerator(made: unknown): made is AsyncGenerator {
  return typeof made === 'object' && made !== null && Symbol.asyncIterator in made && 'next' in made && 'return' in made
}
