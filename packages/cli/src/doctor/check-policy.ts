import { compilePolicy } from '@parley/policy'
import { readText } from '../read-text.ts'
import { failed, type Finding } from './finding.ts'

/** Checks that policy files compile as one set. */
export async function checkPolicy(files: readonly string[]): Promise<Finding> {
  try {
    const sources = await Promise.all(files.map(async (file) => ({ file, text: await readText(file) })))
    const { documents, policyHash } = compilePolicy(sources)
    return { check: 'policy', level: 'ok', text: `${documents.map(({ name }) => name).join(', ')}; hash ${policyHash}` }
  } catch (error) {
    return failed('policy', error)
  }
}
