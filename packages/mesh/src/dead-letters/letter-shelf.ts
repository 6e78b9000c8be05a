import { createOwnerShares } from '../node/owner-shares.ts'
import type { DeadLetter } from './dead-letter.ts'

/** Letters in all, and of one caller, so that no peer drives out what others left. */
export const maxDeadLetters = 1_000
export const maxLettersOfCaller = 100
/** Characters of the requests in all letters: they are held in memory, too. */
export const maxLetterChars = 16_777_216

/** The letters of a node, bounded in number and in size. */
export interface LetterShelf {
  get(id: string): DeadLetter | undefined
  /** Puts a letter in the place of the one of its id. */
  put(letter: DeadLetter): void
  delete(id: string): void
  isEmpty(): boolean
  /** Lists letters, the oldest first. */
  list(): readonly DeadLetter[]
  /**
   * The letter that has to go before `next` is put: the oldest of its caller who has too many, else of the owner that takes
   * most. Undefined once there is room.
   */
  crowdedOutBy(next: DeadLetter): DeadLetter | undefined
}

/** Creates an empty shelf. */
export function createLetterShelf(): LetterShelf {
  const letters = new Map<string, DeadLetter>()
  const shares = createOwnerShares()
  const counts = createOwnerShares()
  const remove = (id: string): void => {
    const letter = letters.get(id)
    if (!letter) return
    letters.delete(id)
    shares.take(letter.caller.owner, sizeOf(letter))
    counts.take(letter.caller.owner, 1)
  }
  const oldest = (isMeant: (letter: DeadLetter) => boolean): DeadLetter | undefined =>
    [...letters.values()].find(isMeant)
  return {
    get: (id) => letters.get(id),
    put(letter) {
      const before = letters.get(letter.id)
      if (before) shares.take(before.caller.owner, sizeOf(before))
      else counts.add(letter.caller.owner, 1)
      letters.set(letter.id, letter)
      shares.add(letter.caller.owner, sizeOf(letter))
    },
    delete: remove,
    isEmpty: () => letters.size === 0,
    list: () => [...letters.values()],
    crowdedOutBy(next) {
      const { owner, name } = next.caller
      const before = letters.get(next.id)
      const isOfCaller = ({ caller }: DeadLetter): boolean => caller.owner === owner && caller.name === name
      if (!before && [...letters.values()].filter(isOfCaller).length >= maxLettersOfCaller) return oldest(isOfCaller)
      const grows = sizeOf(next) - (before ? sizeOf(before) : 0)
      const isTooLarge = shares.total() + grows > maxLetterChars
      if ((before || letters.size < maxDeadLetters) && !isTooLarge) return undefined
      const crowded = (isTooLarge ? shares : counts).crowded()
      return oldest(({ caller }) => caller.owner === crowded)
    },
  }
}

/** What is large in a letter, and never nothing. */
function sizeOf({ evidence }: DeadLetter): number {
  return evidence.length + 1
}
