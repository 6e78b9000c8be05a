import type { CancelTimer, Clock, Random, Transport } from '@parley/ports'

// I1 A process that died does nothing any more: no timer, no delivery, no completion of a port reaches it, and nothing that
//    it publishes leaves.
// I2 A process that is paused does everything later, in the order in which it came.

/** One life of a process: what its node sees of the world. */
export interface SimProcess {
  /** Its name, equal in all lives. */
  readonly name: string
  /** Its name and which life this is, for instance `desk-1#2`. */
  readonly id: string
  readonly clock: Clock
  readonly random: Random
  readonly transport: Transport
  isAlive(): boolean
  /** Runs `run` in this process: now, when it wakes, or never. */
  enter(run: () => void): void
  /** Lets the world do `work` after `delayMs`, unless the process died before; resolves unless it died meanwhile. */
  wait<Result>(delayMs: number, work: () => Result): Promise<Result>
  /** Passes a point at which the process may die, in which case the promise never settles, or be paused. */
  pass(point: string): Promise<void>
  /** The same for what cannot wait; false if the process died. */
  passAtOnce(point: string): boolean
  crash(why: string): void
  note(what: string): void
}

/** What a process is made of. */
export interface SimProcessOptions {
  readonly name: string
  readonly life: number
  readonly random: Random
  /** The clock of the world. */
  readonly clock: Clock
  readonly after: (delayMs: number, turn: () => void) => CancelTimer
  /** Connects it to the bus. */
  readonly connect: (process: SimProcess) => Transport
  /** Decides what happens at a point. */
  readonly strike: (process: SimProcessControl, point: string) => void
  readonly onCrash: (why: string) => void
  readonly note: (what: string) => void
}

/** What the world can do to a process. */
export interface SimProcessControl {
  readonly process: SimProcess
  pause(forMs: number): void
  wake(): void
  /** Moves the wall clock. */
  jump(ms: number): void
  /** Sets the wall clock right. */
  setRight(): void
}

/** Begins one life of a process. */
export function createSimProcess(options: SimProcessOptions): SimProcessControl {
  const { name, life, random, clock, after, note } = options
  let alive = true
  let paused = false
  let offsetMs = 0
  let held: (() => void)[] = []
  const enter = (run: () => void): void => {
    if (!alive) return
    if (paused) held.push(run)
    else run()
  }
  const wake = (): void => {
    if (!paused || !alive) return
    paused = false
    note('wakes')
    const runs = held
    held = []
    for (const run of runs) after(0, () => enter(run))
  }
  const passAtOnce = (point: string): boolean => {
    if (alive) options.strike(control, point)
    return alive
  }
  const process: SimProcess = {
    name,
    id: `${name}#${life}`,
    random,
    clock: {
      now: () => clock.now() + offsetMs,
      monotonic: () => clock.monotonic(),
      setTimer: (callback, delayMs) => {
        let cancelled = false
        const cancel = after(delayMs, () => {
          enter(() => {
            if (!cancelled) callback()
          })
        })
        return () => {
          cancelled = true
          cancel()
        }
      },
      defer(callback) {
        clock.defer(() => enter(callback))
      },
    },
    get transport() {
      return transport
    },
    isAlive: () => alive,
    enter,
    wait: (delayMs, work) =>
      new Promise((resolve, reject) => {
        after(delayMs, () => {
          if (!alive) return
          try {
            const result = work()
            enter(() => resolve(result))
          } catch (error) {
            enter(() => reject(error instanceof Error ? error : new Error('the world broke', { cause: error })))
          }
        })
      }),
    pass: (point) =>
      new Promise((resolve) => {
        if (passAtOnce(point)) enter(resolve)
      }),
    passAtOnce,
    crash(why) {
      if (!alive) return
      alive = false
      held = []
      note(`dies ${why}`)
      options.onCrash(why)
    },
    note,
  }
  const control: SimProcessControl = {
    process,
    pause(forMs) {
      if (paused || !alive) return
      paused = true
      note(`is paused for ${forMs.toFixed(0)} ms`)
      after(forMs, wake)
    },
    wake,
    jump(ms) {
      offsetMs += ms
      note(`its clock jumps by ${ms} ms`)
    },
    setRight() {
      offsetMs = 0
    },
  }
  const transport = options.connect(process)
  return control
}
