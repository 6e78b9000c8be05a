import type { Serves } from '@parley/mesh'
import { isMeshError, type Refusal } from '@parley/protocol'
import type { Sagas } from '../runner/sagas.ts'
import type { SagaContract, SagaRefused } from './saga-contract.ts'

/** What answers `decline` in a handler. */
interface Declining<Declined> {
  decline(name: 'refused', details: SagaRefused): Declined
}

/**
 * Makes what serves `sagaContract` for the sagas of an agent: `node.serve(sagaContract, serveSagas(sagas))`, before the node
 * starts. Who may do what is for the node's policy to say; signals carry the name of their caller.
 */
export function serveSagas(sagas: Sagas): Serves<SagaContract> {
  return {
    list: async () => ({ sagas: (await sagas.list()).sagas }),
    state: (input, hop) => answering(hop, async () => ({ view: (await sagas.show(input.id)).view })),
    async *follow({ id, from }, hop) {
      try {
        const run = await sagas.attach(id)
        // Who asked may be gone long before the saga changes again.
        yield* run.events(from, hop.signal)
        return { view: run.state() }
      } catch (error) {
        return hop.decline('refused', toRefused(error))
      }
    },
    signal: (input, hop) =>
      answering(hop, async () => {
        const run = await sagas.attach(input.id)
        const verdict = await run.signal(input.name, input.value, hop.caller.name)
        return verdict.kind === 'deny' ? hop.decline('refused', readRefusal(verdict)) : {}
      }),
    cancel: (input, hop) =>
      answering(hop, async () => {
        const run = await sagas.attach(input.id)
        const verdict = await run.cancel(input.reason)
        return verdict.kind === 'deny' ? hop.decline('refused', readRefusal(verdict)) : { stopped: verdict.stopped }
      }),
    decide: (input, hop) =>
      answering(hop, async () => {
        const verdict = await sagas.decide(input.declaration)
        return verdict.kind === 'deny' ? hop.decline('refused', readRefusal(verdict)) : {}
      }),
  }
}

async function answering<Answer, Declined>(
  hop: Declining<Declined>,
  work: () => Promise<Answer>,
): Promise<Answer | Declined> {
  try {
    return await work()
  } catch (error) {
    return hop.decline('refused', toRefused(error))
  }
}

function readRefusal({ code, reason }: Refusal): SagaRefused {
  return { code, reason }
}

/** What is wrong with a saga is for the caller to know; anything else is a defect, or the store's, and thrown on. */
function toRefused(error: unknown): SagaRefused {
  if (!isMeshError(error) || !error.code.startsWith('saga.')) throw error
  return { code: error.code, reason: error.message }
}
