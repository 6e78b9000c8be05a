import type { CallOptions } from './call-options.ts'
import type { ContractCapability } from '../contract/contract.ts'
import { CallError, type Outcome } from '../contract/outcome.ts'
import type { PartReceiver } from '../stream/part-receiver.ts'
import { checkSchema } from '../contract/schema.ts'

/** How one streamed call differs from the defaults. */
export interface StreamOptions<Progress = unknown> extends CallOptions<Progress> {
  /** Parts that may wait here for who iterates; the callee waits beyond. Default 16, at most 256. */
  readonly maxAhead?: number
}

/**
 * A streamed reply. Iterating gives the parts, each checked; after the last it throws a `CallError` unless the outcome is
 * `ok`. Leaving the loop takes the call back. It can be iterated once.
 */
export interface CallStream<Part, Output = unknown, Declared = Readonly<Record<string, unknown>>> extends AsyncIterable<
  Part,
  undefined
> {
  /** What the call ended in; never rejects. */
  readonly outcome: Promise<Outcome<Output, Declared>>
}

/** Creates the caller's end of a stream from the call that fills the receiver. */
export function createCallStream(
  contract: ContractCapability,
  receiver: PartReceiver,
  outcome: Promise<Outcome>,
  cancel: () => void,
): CallStream<unknown> {
  const iterate = async function* (): AsyncGenerator<unknown, undefined, undefined> {
    let isOver = false
    try {
      for (let part = await receiver.next(); part; part = await receiver.next()) {
        const checked = contract.stream && (await checkSchema(contract.stream, part.value))
        if (checked?.kind !== 'valid') {
          receiver.fail('stream.part-invalid')
          break
        }
        yield checked.value
      }
      const ended = await outcome
      isOver = true
      if (ended.kind !== 'ok') throw new CallError(contract.capability, ended)
      return undefined
    } finally {
      if (!isOver) cancel()
    }
  }
  const parts = iterate()
  return { outcome, [Symbol.asyncIterator]: () => parts }
}
