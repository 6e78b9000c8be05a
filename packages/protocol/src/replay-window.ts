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
  const mostWords = Math.ceil(size / 32)
  let words = new Uint32Array(1)
  let highest = 0
  /** Until the window is full, a counter's slot is the counter itself, so a longer list of words holds the same. */
  const growTo = (counter: number): void => {
    const needed = counter < size ? (counter >>> 5) + 1 : mostWords
    if (needed <= words.length) return
    const grown = new Uint32Array(Math.min(mostWords, Math.max(needed, words.length * 2)))
    grown.set(words)
    words = grown
  }
  const bitOf = (counter: number): readonly [word: number, mask: number] => {
    const slot = counter % size
    return [slot >>> 5, (1 << (slot & 31)) >>> 0]
  }
  return {
    accept(counter) {
      if (!Number.isSafeInteger(counter) || counter < 1 || counter <= highest - size) return false
      if (counter > highest) {
        const from = Math.max(highest + 1, counter - size + 1)
        growTo(counter)
        if (counter - highest >= size) words.fill(0)
        else
          for (let cleared = from; cleared <= counter; cleared++) {
            const [word, mask] = bitOf(cleared)
            words[word] = (words[word] ?? 0) & ~mask
          }
        highest = counter
      }
      const [word, mask] = bitOf(counter)
      if (((words[word] ?? 0) & mask) !== 0) return false
      words[word] = (words[word] ?? 0) | mask
      return true
    },
  }
}
