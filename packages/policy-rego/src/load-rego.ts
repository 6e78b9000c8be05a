import type { PolicyEngine, PolicyProblem } from '@parley/policy'
import { systemHash, type Hash } from '@parley/ports'
import { bodyOfAnswer, verdictOfAnswer } from './rego-answer.ts'
import { BundleFault, readRegoBundle } from './rego-bundle.ts'
import { regoInputOf } from './rego-input.ts'
import { compileRegoModule, type RegoModule } from './rego-module.ts'
import type { RegoSource } from './rego-source.ts'

/** What `loadRego` takes beside the source. */
export interface LoadRegoOptions {
  /** Names the document in decisions; the file name without its ending if absent. */
  readonly name?: string
  /** The package that decides, with `/`; needed only where a bundle has several. */
  readonly entrypoint?: string
  readonly hash?: Hash
}

/**
 * Makes an engine of Rego that was compiled to WebAssembly. Mistakes are appended to `problems`, and then there is none.
 *
 * The package gives an object: `allow`, and if it likes `deny_reason`, `deny` (a set of reasons, which wins) and `transform`
 * (the body to go on with). `transform` is asked for only if the module holds such a rule.
 */
export function loadRego(
  source: RegoSource,
  problems: PolicyProblem[],
  options: LoadRegoOptions = {},
): PolicyEngine | undefined {
  const { file, bytes } = source
  const { entrypoint, hash = systemHash, name = nameOfFile(file) } = options
  let module: RegoModule
  try {
    module = compileRegoModule(readRegoBundle(source), entrypoint)
  } catch (error) {
    if (!(error instanceof BundleFault)) throw error
    problems.push({ file, line: 1, column: 1, problem: error.message })
    return undefined
  }
  const engine: PolicyEngine = {
    name,
    language: 'rego',
    file,
    hash: hashOf(bytes, module.entrypoint, hash),
    rules: [],
    decide: (input) => verdictOfAnswer(module.evaluate(regoInputOf(input)), name),
  }
  if (!module.mentions('transform')) return engine
  return {
    ...engine,
    transform(input) {
      const made = bodyOfAnswer(module.evaluate(regoInputOf(input)))
      return made === undefined ? undefined : { rule: 'transform', body: made.body }
    },
  }
}

function nameOfFile(file: string): string {
  const last = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1)
  return last.replace(/(?:\.rego)?(?:\.tar\.gz|\.wasm|\.tar)$/, '')
}

function hashOf(bytes: Uint8Array, entrypoint: string, hash: Hash): string {
  const name = new TextEncoder().encode(`rego\n${entrypoint}\n`)
  return Buffer.from(hash(name, bytes)).toString('base64url')
}
