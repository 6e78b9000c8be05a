import { expect } from 'vitest'
import type { SagaEvent } from '../kernel/saga-event.ts'
import type { SignedSaga } from './signed-saga.fixture.ts'

export const ok = (step: string): SagaEvent => ({ type: 'committed', step, by: 'reply', output: { ref: step } })
export const declined: SagaEvent = { type: 'declined', step: 'car', by: 'reply', error: { name: 'full' } }
export const turned: SagaEvent = { type: 'turned', step: 'car', code: 'full' }
export const undone: SagaEvent = { type: 'undone', step: 'room', by: 'reply' }

/** Room done, car declined, room undone. */
export async function unwind(saga: SignedSaga): Promise<SignedSaga> {
  await saga.act({}, ok('room'))
  await saga.act({ step: 'car', ended: 'declined' }, declined, turned)
  await saga.act({ phase: 'undo' }, undone, { type: 'compensated' })
  return saga
}

/** Matches the verdict on a saga that somebody changed. */
export const tampered = (code: string): unknown => expect.objectContaining({ kind: 'tampered', code })
