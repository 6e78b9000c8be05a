import { systemHash, type Hash } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { credentialsOnly, defaults } from './built-in-documents.ts'
import { compileDocument, hashTexts, type CompiledDocument } from './language/compile-document.ts'
import { linkDocuments } from './language/link-documents.ts'
import { isPolicyDocument } from './language/policy-document.ts'
import type { PolicyEngine } from './policy-engine.ts'
import type { PolicyForm } from './policy-form.ts'
import { formatProblem, type PolicyProblem } from './policy-problem.ts'
import type { PolicySource } from './policy-source.ts'

/** Engines that must all allow. Immutable: a reload makes another one. */
export interface PolicySet {
  /** `parley:credentials-only` first, then `parley:defaults` unless left out, then the given ones in their order. */
  readonly documents: readonly PolicyEngine[]
  /** Those of them that may change a body. */
  readonly transforms: readonly PolicyEngine[]
  /** base64url SHA-256 over the hashes of the documents in their order; decisions and records carry it. */
  readonly policyHash: string
}

/** A document as text, or what an engine made of one. */
export type PolicyPart = PolicySource | PolicyEngine

/** What `compilePolicy` takes beside the documents. */
export interface CompilePolicyOptions {
  /** `false` leaves out `parley:defaults`, the ring table; credentials still decide. */
  readonly defaults?: boolean
  /** Other forms of documents that are recognised by their text. */
  readonly forms?: readonly PolicyForm[]
  readonly hash?: Hash
}

const maxListedProblems = 20

/**
 * Compiles documents into a set. Each further document narrows what the ones before allow; one whose source says
 * `isParent` is only there for others to extend. Throws `policy.invalid` with every mistake of every document as
 * `file:line:column: problem`, in the order of the text (all in `details.problems`); nothing loads half.
 */
export function compilePolicy(parts: readonly PolicyPart[], options: CompilePolicyOptions = {}): PolicySet {
  const { hash = systemHash, forms = [] } = options
  const builtIn = options.defaults === false ? [credentialsOnly] : [credentialsOnly, defaults]
  const problems: PolicyProblem[] = []
  const compiled: CompiledDocument[] = []
  const places: (CompiledDocument | PolicyEngine)[] = []
  for (const part of [...builtIn, ...parts]) {
    const isBuiltIn = part === credentialsOnly || part === defaults
    const made = isBuiltIn ? compileBuiltIn(part) : compilePart(part, forms, problems)
    if (!made) continue
    checkName(made.name, part.file, isBuiltIn, places, problems)
    places.push(made)
    if ('source' in made) compiled.push(made)
  }
  const linked = new Map(linkDocuments(compiled, hash).map((document) => [document.name, document]))
  if (problems.length > 0) throw invalid(problems, parts)
  const documents = places.flatMap((place): readonly PolicyEngine[] => {
    if (!('source' in place)) return [place]
    const document = linked.get(place.name)
    return document && place.source.isParent !== true ? [document] : []
  })
  return {
    documents,
    transforms: documents.filter(mayTransform),
    policyHash: hashTexts(
      documents.map((document) => `${document.language} ${document.name} ${document.hash}`),
      'policy',
      hash,
    ),
  }
}

/** Tells whether a part is an engine, which needs no compiling. */
function isPolicyEngine(part: PolicyPart): part is PolicyEngine {
  return 'decide' in part
}

const compiledBuiltIns = new Map<PolicySource, CompiledDocument>()

/** Compiles a document of ours, which is the same for every set, once. It extends nothing: linking finds nothing wrong. */
function compileBuiltIn(source: PolicySource): CompiledDocument {
  const known = compiledBuiltIns.get(source)
  if (known) return known
  const problems: PolicyProblem[] = []
  const made = compileDocument(source, problems)
  if (!made || problems.length > 0) throw invalid(problems, [source])
  compiledBuiltIns.set(source, made)
  return made
}

function compilePart(
  part: PolicyPart,
  forms: readonly PolicyForm[],
  problems: PolicyProblem[],
): CompiledDocument | PolicyEngine | undefined {
  if (isPolicyEngine(part)) return part
  const form = forms.find((candidate) => candidate.accepts(part))
  return form ? form.compile(part, problems) : compileDocument(part, problems)
}

function checkName(
  name: string,
  file: string,
  isBuiltIn: boolean,
  before: readonly { readonly name: string }[],
  problems: PolicyProblem[],
): void {
  if (name.startsWith('parley:') && !isBuiltIn) {
    problems.push({ file, line: 1, column: 1, problem: `the name ${name} belongs to a built-in document` })
  }
  if (before.some((other) => other.name === name)) {
    problems.push({ file, line: 1, column: 1, problem: `another document of the set is named ${name}` })
  }
}

function mayTransform(engine: PolicyEngine): boolean {
  if (isPolicyDocument(engine)) return engine.compiled.some(({ effect }) => effect === 'transform')
  return engine.transform !== undefined
}

function invalid(found: readonly PolicyProblem[], parts: readonly PolicyPart[]): MeshError {
  const place = (file: string): number => parts.findIndex((part) => part.file === file)
  const problems = found.toSorted(
    (left, right) => place(left.file) - place(right.file) || left.line - right.line || left.column - right.column,
  )
  const listed = problems.slice(0, maxListedProblems).map(formatProblem)
  if (problems.length > listed.length) listed.push(`and ${String(problems.length - listed.length)} more`)
  return new MeshError('policy.invalid', `The policy is not loaded. ${listed.join('\n')}`, { details: { problems } })
}
