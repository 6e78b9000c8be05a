import { compilePolicy, type PolicySet } from '@parley/policy'
import { readPolicyFiles } from './read-policy-files.ts'

/** Compiles policy files of every form and language as one set, as a node would. Rejects with `policy.invalid`. */
export async function compilePolicyFiles(files: readonly string[]): Promise<PolicySet> {
  const { parts, forms } = await readPolicyFiles(files)
  return compilePolicy(parts, { forms })
}
