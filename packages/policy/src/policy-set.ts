import { systemHash, type Hash } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { credentialsOnly, defaults } from './built-in-documents.ts'
import { compileDocument } from './compile-document.ts'
import type { PolicyDocument } from './policy-document.ts'
import { formatProblem, type PolicyProblem } from './policy-problem.ts'
import type { PolicySource } from './policy-source.ts'

/** Compiled documents that must all allow. Immutable: a reload makes another one. */
export interface PolicySet {
  /** `parley:credentials-only` first, then `parley:defaults` unless replaced, then the given ones in their order. */
  readonly documents: readonly PolicyDocument[]
  /** base64url SHA-256 over the texts of the documents in their order; decisions and records carry it. */
  readonly policyHash: string
}

/** What `compilePolicy` takes beside the documents. */
export interface CompilePolicyOptions {
  /** `false` leaves out `parley:defaults`, the ring table; credentials still decide. */
  readonly defaults?: boolean
  readonly hash?: Hash
}

const maxListedProblems = 20

/**
 * Compiles documents into a set. Each further document narrows what the ones before allow. Throws `policy.invalid` with
 * every mistake of every document as `file:line:column: problem`, in the order of the text (all in `details.problems`);
 * nothing loads half.
 */
export function compilePolicy(sources: readonly PolicySource[], options: CompilePolicyOptions = {}): PolicySet {
  const builtIn = options.defaults === false ? [credentialsOnly] : [credentialsOnly, defaults]
  const problems: PolicyProblem[] = []
  const documents: PolicyDocument[] = []
  for (const source of [...builtIn, ...sources]) {
    const document = compileDocument(source, problems)
    if (document === undefined) continue
    const { file } = source
    if (document.name.startsWith('parley:') && source !== credentialsOnly && source !== defaults) {
      problems.push({ file, line: 1, column: 1, problem: `the name ${document.name} belongs to a built-in document` })
    }
    if (documents.some(({ name }) => name === document.name)) {
      problems.push({ file, line: 1, column: 1, problem: `another document of the set is named ${document.name}` })
    }
    documents.push(document)
  }
  if (problems.length > 0) throw invalid(problems, sources)
  return { documents, policyHash: hashOf(documents, options.hash ?? systemHash) }
}

function invalid(found: readonly PolicyProblem[], sources: readonly PolicySource[]): MeshError {
  const place = (file: string): number => sources.findIndex((source) => source.file === file)
  const problems = found.toSorted(
    (left, right) => place(left.file) - place(right.file) || left.line - right.line || left.column - right.column,
  )
  const listed = problems.slice(0, maxListedProblems).map(formatProblem)
  if (problems.length > listed.length) listed.push(`and ${String(problems.length - listed.length)} more`)
  return new MeshError('policy.invalid', `The policy is not loaded. ${listed.join('\n')}`, { details: { problems } })
}

function hashOf(documents: readonly PolicyDocument[], hash: Hash): string {
  // A JSON list keeps the borders between documents; the first line keeps the hash apart from other uses.
  const text = `parley/v1/policy\n${JSON.stringify(documents.map((document) => document.text))}`
  const bytes = hash(new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
