/** Why something could not be evaluated: a code and the clause, never a value of the input. A value, so that it is cheap. */
export class Failure {
  readonly problem: string

  constructor(problem: string) {
    this.problem = problem
  }
}
