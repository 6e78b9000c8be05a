import { allowed, isMeshError, refuse, type Verdict } from '@parley/protocol'
import type { SagaJournal } from '../journal/saga-journal.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import type { Proposal } from '../kernel/propose.ts'

/** How often a note is written anew because its saga moved on meanwhile: a saga that is never still is busy with its end. */
const maxAttempts = 20

/**
 * Adds to a saga that this process does not drive. The one that does finds out by its next append, or when it is rung for:
 * `instance` in the answer is whom to tell. The fence stays what it is, since a note takes nothing over.
 */
export async function noteSaga(
  open: () => SagaJournal,
  id: string,
  propose: Proposal,
): Promise<{ readonly verdict: Verdict; readonly instance?: string }> {
  for (let attempt = 1; ; attempt++) {
    const journal = open()
    const past = await journal.read()
    if (past.length === 0) return { verdict: refuse('saga.unknown', `there is no saga "${id}": check the id`) }
    const state = foldSaga(past.map(({ event }) => event))
    const proposed = propose(state)
    if ('kind' in proposed) return { verdict: proposed }
    if (proposed.length === 0) return { verdict: allowed }
    try {
      await journal.append(proposed)
      return { verdict: allowed, instance: state.instance }
    } catch (error) {
      if (!isMeshError(error) || error.code !== 'saga.not-owned' || attempt === maxAttempts) throw error
    }
  }
}
