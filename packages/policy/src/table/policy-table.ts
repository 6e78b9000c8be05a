import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml'
import { errorCodes } from '@parley/protocol'
import type { PolicyProblem } from '../policy-problem.ts'
import type { PolicySource } from '../policy-source.ts'
import { checkInputKeys } from './input-keys.ts'
import { noDelegation, noObjective, type PolicyInput, type PolicyPeer } from '../policy-input.ts'

/** What a case can expect. */
const tableVerdicts = ['allow', 'deny', 'require_approval'] as const

/** One case: a hop, and what the policy should say of it. */
export interface TableCase {
  readonly name: string
  readonly line: number
  readonly input: PolicyInput
  readonly expect: (typeof tableVerdicts)[number]
  /** `document#rule`, where the case says which rule should decide. */
  readonly rule: string | undefined
  readonly code: string | undefined
}

/** A table of cases that stands beside the documents that it tests. */
export interface PolicyTable {
  readonly file: string
  /** The documents, as paths relative to the table. */
  readonly policy: readonly string[]
  readonly cases: readonly TableCase[]
}

const tableKeys = ['apiVersion', 'policy', 'cases']
const caseKeys = ['name', 'input', 'expect', 'rule', 'code']
/** 2026-01-01T12:00:00Z: a table says the same on every day. */
const defaultNowMs = 1_767_268_800_000

const peer: PolicyPeer = {
  name: 'acme/caller',
  owner: 'did:web:acme.example',
  instance: 'did:key:zCaller',
  kind: 'agent',
  assurance: 0,
  tier: 'standard',
  score: 500,
  grants: true,
  grantsByName: false,
}

/**
 * Parses a table. What a case does not say of its hop is: inbound, reversible, both credentials grant it, both sides
 * of tier standard, no delegation, no saga, an empty body. Mistakes are appended with their position.
 */
export function parsePolicyTable(source: PolicySource, problems: PolicyProblem[]): PolicyTable | undefined {
  const { file, text } = source
  const lines = new LineCounter()
  const report = (node: unknown, problem: string): undefined => {
    const { line, col } = lines.linePos((node as Node | null)?.range?.[0] ?? 0)
    problems.push({ file, line: Math.max(1, line), column: Math.max(1, col), problem })
  }
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  for (const fault of yaml.errors.slice(0, 20)) {
    const { line, col } = lines.linePos(fault.pos[0])
    problems.push({
      file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      problem: `not valid YAML: ${fault.message}`,
    })
  }
  if (yaml.errors.length > 0) return undefined
  const root = yaml.contents
  if (!isMap(root)) return report(root, `the table is not a map with the keys ${tableKeys.join(', ')}`)
  checkKeys(root, tableKeys, report)
  if ((root.get('apiVersion') as unknown) !== 'parley/v1') report(root, 'apiVersion is not parley/v1')
  const policy = root.get('policy')
  if (!isSeq(policy) || !policy.items.every((item) => isScalar(item) && typeof item.value === 'string'))
    return report(policy ?? root, 'policy is not a list of files')
  const list = root.get('cases')
  if (!isSeq(list)) return report(list ?? root, 'cases is not a list')
  const cases = list.items.flatMap((item): readonly TableCase[] => {
    if (!isMap(item)) {
      report(item, `the case is not a map with the keys ${caseKeys.join(', ')}`)
      return []
    }
    checkKeys(item, caseKeys, report)
    const { name, input, expect, rule, code } = item.toJSON() as Readonly<Record<string, unknown>>
    const given = item.get('input')
    for (const { path, problem } of checkInputKeys(input)) report(keyAt(given, path) ?? given, problem)
    const verdict = tableVerdicts.find((known) => known === expect)
    const made = makeInput(input)
    if (typeof name !== 'string') report(item, 'the case has no name')
    if (!verdict) report(item, `expect is none of ${tableVerdicts.join(', ')}`)
    if (rule !== undefined && typeof rule !== 'string')
      report(keyAt(item, ['rule']), 'rule is not a text, document#rule')
    if (code !== undefined && !(typeof code === 'string' && Object.hasOwn(errorCodes, code)))
      report(keyAt(item, ['code']), `the code ${JSON.stringify(code)} is unknown`)
    if (!made) report(given ?? item, 'input is not a map with at least an action')
    if (typeof name !== 'string' || !verdict || !made) return []
    const { line } = lines.linePos(item.range?.[0] ?? 0)
    return [
      {
        name,
        line,
        input: made,
        expect: verdict,
        rule: typeof rule === 'string' ? rule : undefined,
        code: typeof code === 'string' ? code : undefined,
      },
    ]
  })
  return { file, policy: policy.items.map((item) => String((item as { readonly value: unknown }).value)), cases }
}

/** Fills up a description of a hop that names only what matters; undefined if it is none. */
export function makeInput(given: unknown): PolicyInput | undefined {
  if (!isRecord(given) || typeof given['action'] !== 'string') return undefined
  const { caller, callee, delegation, hop, saga, objective, body, nowMs, ...more } = given
  const asking = { ...peer, ...record(caller) }
  return {
    direction: 'inbound',
    phase: 'do',
    risk: 'reversible',
    onBehalfOf: '',
    labels: [],
    obligations: [],
    ...more,
    action: given['action'],
    caller: asking,
    callee: { ...peer, name: 'acme/callee', instance: 'did:key:zCallee', ...record(callee) },
    delegation: { ...noDelegation, ...(delegation === undefined ? {} : { present: true }), ...record(delegation) },
    hop: { index: 0, path: [asking.name], ...record(hop) },
    saga: { present: saga !== undefined, id: '', step: '', attempt: 0, ...record(saga) },
    objective: () => ({ ...noObjective, ...record(objective) }),
    body: () => body ?? {},
    time: { nowMs: typeof nowMs === 'number' ? nowMs : defaultNowMs },
  } as unknown as PolicyInput
}

function checkKeys(
  map: { readonly items: readonly { readonly key: unknown }[] },
  known: readonly string[],
  report: (node: unknown, problem: string) => void,
): void {
  for (const { key } of map.items) {
    const name = isScalar(key) ? String(key.value) : '?'
    if (!known.includes(name)) report(key, `unknown key ${name}: there are ${known.join(', ')}`)
  }
}

/** Finds the node of a key, for its place in the text. */
function keyAt(node: unknown, [name, ...below]: readonly string[]): unknown {
  const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === name) : undefined
  return pair && below.length > 0 ? keyAt(pair.value, below) : pair?.key
}

function record(value: unknown): object {
  return isRecord(value) ? value : {}
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
