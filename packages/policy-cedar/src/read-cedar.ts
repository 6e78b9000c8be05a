import { checkParsePolicySet, policySetTextToParts, policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs'
import { faultsOf, type CedarFault } from './cedar-fault.ts'
import { findDeepNesting, maxNesting } from './cedar-nesting.ts'
import type { CedarPolicy } from './cedar-policy.ts'
import { readRedaction } from './cedar-redaction.ts'
import { schemaFor } from './cedar-schema.ts'
import { inspectPolicy } from './inspect-expression.ts'

/** The largest document, in UTF-16 code units. */
export const maxDocumentLength: number = 1024 * 1024

const maxPolicies = 5_000
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** Reads and checks the policies of a document. Reports every mistake at its offset; what it returns is only good if there was none. */
export function readCedar(text: string, report: (fault: CedarFault) => void): readonly CedarPolicy[] {
  const refuse = (offset: number, problem: string): readonly CedarPolicy[] => {
    report({ offset, problem })
    return []
  }
  if (text.length > maxDocumentLength) {
    return refuse(0, `the document is larger than ${String(maxDocumentLength)} characters`)
  }
  const deep = findDeepNesting(text)
  if (deep !== undefined)
    return refuse(deep, `the policy nests deeper than ${String(maxNesting)}, brackets counting four`)
  const parsed = checkParsePolicySet({ staticPolicies: text })
  const parts = policySetTextToParts(text)
  if (parts.type === 'failure') {
    for (const fault of faultsOf(parsed.type === 'failure' ? parsed.errors : parts.errors, text)) report(fault)
    return []
  }
  for (const template of parts.policy_templates) {
    refuse(text.indexOf(template), 'the template is refused: nothing gives its slots a value')
  }
  if (parts.policies.length > maxPolicies) return refuse(0, `there are more than ${String(maxPolicies)} policies`)
  const placed = parts.policies.map((part) => ({ part, offset: Math.max(0, text.indexOf(part)) }))
  const seen = new Set<string>()
  return placed
    .toSorted((left, right) => left.offset - right.offset)
    .flatMap(({ part, offset }, place) => {
      const policy = readPolicy(part, place, (fault) => {
        report({ ...fault, offset: offset + fault.offset })
      })
      if (policy === undefined) return []
      if (seen.has(policy.id)) refuse(offset, `another policy has the id ${policy.id}`)
      seen.add(policy.id)
      return [policy]
    })
}

function readPolicy(text: string, place: number, report: (fault: CedarFault) => void): CedarPolicy | undefined {
  const answer = policyToJson(text)
  if (answer.type === 'failure') {
    for (const fault of faultsOf(answer.errors, text)) report(fault)
    return undefined
  }
  const { effect, annotations = {} } = answer.json
  const { reads, actions, problems } = inspectPolicy(answer.json)
  const at = (word: string): number => Math.max(0, text.indexOf(word))
  for (const { word, problem } of problems) report({ offset: at(word), problem })
  const readsBody = reads.has('body') || reads.has('*')
  if (problems.length === 0 && !readsBody) validatePolicy(text, actions, report)
  const { id = `policy${String(place)}`, reason } = annotations
  if (!idPattern.test(id) || id === 'default') {
    report({
      offset: at('@id'),
      problem: `the id '${id}' is not 1 to 63 letters, digits, '.', '_' or '-', or is reserved`,
    })
  }
  const redaction = readRedaction(annotations, effect, (annotation, problem) => {
    report({ offset: at(`@${annotation}`), problem })
  })
  return { id, text, effect, reason, redaction, reads }
}

/** Asks Cedar's validator: types that do not fit, and policies that can never hold. */
function validatePolicy(text: string, actions: ReadonlySet<string>, report: (fault: CedarFault) => void): void {
  const answer = validate({ schema: schemaFor(actions), policies: { staticPolicies: { policy: text } } })
  const found =
    answer.type === 'failure'
      ? answer.errors
      : [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) => error)
  for (const fault of faultsOf(found, text)) {
    report({
      ...fault,
      problem: fault.problem.replace(/^for policy `policy`, /, '').replace('for policy `policy`, ', ''),
    })
  }
}
