import type { MergeAdds, Part } from './part.ts'

/**
 * Describes branches that run at the same time. Each is a step, a group, or a `sequence`; every branch sees the results
 * from before the group, and what follows the group sees the results of all.
 */
export function parallel<Saga, Before, const Branches extends readonly unknown[]>(
  name: string,
  branches: Branches & readonly Part<Saga, Before, unknown>[],
): Part<Saga, Before, MergeAdds<Branches>> {
  return { kind: 'parallel', name, branches }
}
