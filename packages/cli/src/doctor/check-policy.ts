import { compilePolicy } from '@parley/policy'
import { readPolicyFiles } from '../read-policy-files.ts'
import { failed, type Finding } from './finding.ts'

/** Checks that policy files compile as one set. */
export async function checkPolicy(files: readonly string[]): Promise<Finding> {
  try {
    const { parts, forms } = await readPolicyFiles(files)
    const { documents, policyHash } = compilePolicy(parts, { forms })
    return { check: 'policy', level: 'ok', text: `${documents.map(({ name }) => name).join(', ')}; hash ${policyHash}` }
  } catch (error) {
    return failed('policy', error)
  }
}
