import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { formatProblem, type PolicyForm, type PolicyPart, type PolicyProblem, type PolicySource } from '@parley/policy'
import { createToolkitForm, manifestForm } from '@parley/policy-agt'
import { MeshError } from '@parley/protocol'
import { readBytes } from './read-file.ts'

/** Policy documents, ready to be compiled as one set. */
export interface PolicyFiles {
  readonly parts: readonly PolicyPart[]
  /** The forms that some of them may have. */
  readonly forms: readonly PolicyForm[]
}

/** Above what any form takes: a file that is larger is refused before it is read. */
const maxBytes = 16 * 1024 * 1024

const bundle = /\.(?:wasm|tar\.gz|tgz|tar)$/

/**
 * Reads policy files by their names: `.cedar` is Cedar, `.tar.gz` and `.wasm` are compiled Rego, everything else is YAML or
 * JSON whose form its text tells (`parley/v1`, `governance.toolkit/v1`, an agent manifest). Engines of other languages are
 * loaded only where a file asks for them. Rejects with `policy.invalid` for a bundle that does not load, and with
 * `cli.usage` for what cannot be read.
 */
export async function readPolicyFiles(files: readonly string[]): Promise<PolicyFiles> {
  const rego = files.find((file) => file.endsWith('.rego'))
  if (rego !== undefined) {
    throw new MeshError(
      'cli.usage',
      `${rego} is Rego, which is compiled once and never when it is loaded: parley policy build --opa PATH ${rego}`,
    )
  }
  const problems: PolicyProblem[] = []
  const parts = await Promise.all(
    files.map(async (file): Promise<PolicyPart | undefined> => {
      const bytes = await readBytes(file, maxBytes)
      return bundle.test(file) ? await loadBundle(file, bytes, problems) : decodeSource(file, bytes)
    }),
  )
  if (problems.length > 0) {
    const listed = problems.map(formatProblem).join('\n')
    throw new MeshError('policy.invalid', `The policy is not loaded. ${listed}`, { details: { problems } })
  }
  return {
    parts: parts.filter((part) => part !== undefined),
    forms: [createToolkitForm({ parent: readParent }), manifestForm, ...(await cedarForms(files))],
  }
}

async function loadBundle(file: string, bytes: Uint8Array, problems: PolicyProblem[]): Promise<PolicyPart | undefined> {
  const { loadRego } = await import('@parley/policy-rego')
  return loadRego({ file, bytes }, problems)
}

async function cedarForms(files: readonly string[]): Promise<readonly PolicyForm[]> {
  if (!files.some((file) => file.endsWith('.cedar'))) return []
  const { createCedarForm } = await import('@parley/policy-cedar')
  return [createCedarForm()]
}

/** Reads what a toolkit document extends, which lies in its folder or below, links followed. */
function readParent(reference: string, from: string): PolicySource | undefined {
  const file = join(dirname(from), reference)
  try {
    const folder = realpathSync(dirname(from))
    if (!realpathSync(file).startsWith(folder.endsWith(sep) ? folder : folder + sep)) return undefined
    return { file, text: readFileSync(file, 'utf8') }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

function decodeSource(file: string, bytes: Uint8Array): PolicySource {
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (cause) {
    throw new MeshError('cli.usage', `${file} is not UTF-8 text`, { cause })
  }
}
