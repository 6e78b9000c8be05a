import { limits } from './limits.ts'

/** Remembers which counters of one session and direction were accepted. */
export interface ReplayWindow {
  /**
   * Accepts `counter` once: true if it is new and not older than the window, and then it is remembered. Asked and
   * written in one synchronous step, so two copies cannot both pass.
   */
  accept(counter: number): boolean
}

/**
 * Creates a sliding window of `size` counters (RFC 4303 §3.4.3), in at most `size` bits of memory: it grows with the highest
 * counter, so that a session that is hardly used costs a word. Throws a RangeError for a size that is not a positive
 * integer.
 */
export function createReplayWindow(size: number = limits.replayWindow): ReplayWindow {
  if (!Number.isSafeInteger(size) || size < 1) throw new RangeError(`a window cannot hold ${String(size)} counters`)
  let words: Words = [0]
  let highest = 0
  return {
    accept(counter) {
      if (!Number.isSafeInteger(counter) || counter < 1 || counter <= highest - size) return false
      if (counter > highest) {
        const from = Math.max(highest + 1, counter - size + 1)
        words = growTo(words, counter, size)
        if (counter - highest >= size) words.fill(0)
        else
          for (let cleared = from; cleared <= counter; cleared++) {
            const [word, mask] = bitOf(cleared, size)
            words[word] = (words[word] ?? 0) & ~mask
          }
        highest = counter
      }
      const [word, mask] = bitOf(counter, size)
      if (((words[word] ?? 0) & mask) !== 0) return false
      words[word] = (words[word] ?? 0) | mask
      return true
    },
  }
}

/** Bits of 32 counters each. A list of one costs a fifth of the smallest typed array; most sessions need no more. */
type Words = number[] | Uint32Array

/** Until the window is full, a counter's slot is the counter itself, so a longer list of words holds the same. */
function growTo(words: Words, counter: number, size: number): Words {
  const most = Math.ceil(size / 32)
  const needed = counter < size ? (counter >>> 5) + 1 : most
  if (needed <= words.length) return words
  const grown = new Uint32Array(Math.min(most, Math.max(needed, words.length * 2)))
  grown.set(words)
  return grown
}

function bitOf(counter: number, size: number): readonly [word: number, mask: number] {
  const slot = counter % size
  return [slot >>> 5, (1 << (slot & 31)) >>> 0]
}
