import type { Strike, StrikePoint } from './chaos-plan.ts'

/** What a process of a run tells whoever started it. */
export type Told =
  | { readonly tell: 'ready' }
  | { readonly tell: 'answer'; readonly to: number; readonly problem?: string }
  | { readonly tell: 'ended'; readonly saga: string }
  /** It is about to kill or stop itself. */
  | { readonly tell: 'strikes'; readonly strike: Strike }
  /** It goes on after it stopped itself. */
  | { readonly tell: 'wakes' }
  /** The journal refused what it wrote as the owner of a saga that it no longer was. */
  | { readonly tell: 'stale-append'; readonly saga: string }
  /** A participant refused a command of an epoch that is over. */
  | { readonly tell: 'stale-command'; readonly saga: string }

/** What it is asked. */
export interface Asked {
  readonly ask: number
  readonly what: 'start' | 'look' | 'calm' | 'close'
  readonly saga?: string
}

/** A process's line to whoever started it. */
export interface Line {
  tell(told: Told): void
  /** Passes a point: nothing, or the end, or a pause. */
  pass(point: StrikePoint): Promise<void>
}

/** Opens the line of this process, which ends when its parent does. */
export function openLine(strike: Strike | undefined): Line {
  const send = (told: Told): Promise<void> =>
    new Promise((resolve) => {
      if (process.connected) process.send?.(told, () => resolve())
      else resolve()
    })
  process.on('disconnect', () => process.exit())
  // A Ctrl-C goes to the whole group; whoever started this process ends it.
  process.on('SIGINT', () => undefined)
  let passed = 0
  return {
    tell(told) {
      void send(told)
    },
    async pass(point) {
      if (point !== strike?.point || ++passed !== strike.nth) return
      await send({ tell: 'strikes', strike })
      process.kill(process.pid, strike.signal)
      // The signal is on its way: nothing goes on before it struck.
      await new Promise((resolve) => setTimeout(resolve, 20))
      await send({ tell: 'wakes' })
    },
  }
}
