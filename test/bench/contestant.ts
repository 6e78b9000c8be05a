/** One implementation of the same work. */
export interface Contestant extends AsyncDisposable {
  readonly name: string
  /** Does the work once; rejects if it was not done. */
  work(): Promise<unknown>
}
