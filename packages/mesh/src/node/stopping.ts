/** Tells work to stop. The signal is made when somebody asks for it: most handlers never do, and it is dear. */
export interface Stopping {
  isAborted(): boolean
  signal(): AbortSignal
  abort(): void
}

/** Creates one that has not stopped anything yet. */
export function createStopping(): Stopping {
  let controller: AbortController | undefined
  let aborted = false
  return {
    isAborted: () => aborted,
    signal() {
      if (!controller) {
        controller = new AbortController()
        if (aborted) controller.abort()
      }
      return controller.signal
    },
    abort() {
      aborted = true
      controller?.abort()
    },
  }
}
