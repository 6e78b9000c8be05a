import type { Load } from './measure-load.ts'

/** One implementation of the same work. */
export interface Contestant extends AsyncDisposable {
  readonly name: string
  /** Keeps `inFlight` pieces of work going for `durationMs` and tells what was done. */
  measure(inFlight: number, durationMs: number): Promise<Load>
}
