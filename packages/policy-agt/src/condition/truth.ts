/** Why a condition cannot say yes or no. `problem` names the clause, never a value of the input. */
export interface Undecided {
  readonly problem: string
}

/** What a condition says of one hop. */
export type Truth = boolean | Undecided
