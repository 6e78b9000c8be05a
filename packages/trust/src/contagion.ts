/** How much of a peer's shortfall falls on whoever answers for it, at each step. */
const contagionPerStep = 0.3

/** How many steps blame goes. */
const contagionSteps = 2

/** Below this a score falls short. */
const sound = 500

/**
 * Returns the points that a peer loses for those that it answers for: the worst shortfall below 500 of anybody within two
 * steps, 0.3 of it a step. The worst counts, not the sum, so that many bad names are no worse than one; scores are those
 * that evidence gave, so that blame does not feed on itself.
 */
export function spreadBlame(
  peer: string,
  answersFor: (peer: string) => readonly string[],
  scoreOf: (peer: string) => number,
): number {
  const seen = new Set([peer])
  let edge: readonly string[] = [peer]
  let worst = 0
  let share = 1
  for (let step = 0; step < contagionSteps; step++) {
    share *= contagionPerStep
    edge = edge.flatMap((one) => answersFor(one)).filter((one) => !seen.has(one) && seen.add(one))
    for (const one of edge) worst = Math.max(worst, share * (sound - scoreOf(one)))
  }
  return Math.round(worst)
}
