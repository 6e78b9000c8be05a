/**
 * Runs every step in order, those after one that fails too: what cannot be ended must not keep the rest open. Rejects with the
 * first failure once all have run.
 */
export async function endAll(steps: readonly (() => Promise<void> | void)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps)
    try {
      await step()
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 0) throw failures[0]
}
