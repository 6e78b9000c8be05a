import { silentLogger, systemHash, type Clock, type Store } from '@parley/ports'
import { createDeadLetterBox } from './create-dead-letter-box.ts'
import { describeDeadLetter } from './dead-letter.ts'
import type { DeadLetters } from './dead-letters.ts'
import { openLetter } from './open-letter.ts'

/** What a store is read with where its node does not run. */
export interface StoredDeadLetters {
  readonly store: Pick<Store, 'keyValue'>
  readonly clock: Clock
}

/**
 * Opens the dead letters in the store of a stopped node: to list, to show and to drop. They are replayed by the node itself,
 * which asks of a letter all that it asks of a fresh command. What is dropped here is on no audit record.
 */
export async function openDeadLetters({ store, clock }: StoredDeadLetters): Promise<Omit<DeadLetters, 'replay'>> {
  const { keyValue } = store
  const box = createDeadLetterBox({
    keyValue,
    clock,
    hash: systemHash,
    note: () => undefined,
    logger: silentLogger,
  })
  await box.load()
  return {
    list: async () => box.list().map(describeDeadLetter),
    async show(id) {
      const letter = box.find(id)
      return letter && openLetter(systemHash, letter)
    },
    drop: box.drop,
  }
}
