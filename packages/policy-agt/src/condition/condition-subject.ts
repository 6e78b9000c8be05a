import type { PolicyInput } from '@parley/policy'
import { isAgentWord, wordMeansAgent } from '../agent-word.ts'
import { isCapabilityWord, namesOfCapability, wordMeans } from '../capability-word.ts'
import { ConditionFault } from './condition-token.ts'
import type { Comparison, PlacedLiteral } from './condition-tree.ts'

/** What a condition reads of one hop. The body is parsed when the first condition reads it, and once. */
export interface ToolkitFacts {
  readonly input: PolicyInput
  /** Returns the parsed body; throws what reading it threw. */
  body(): unknown
}

/**
 * What a path of a condition stands for. A fact comes from the mesh and is compared in its own way; everything else is an
 * argument of the call.
 */
export type ConditionSubject =
  | { readonly kind: 'fact'; readonly check: FactCheck; read(facts: ToolkitFacts): FactValue }
  | { readonly kind: 'argument'; readonly steps: readonly string[] }

/** A fact, in the one type that it has. */
export type FactValue = string | number

/** How a fact is compared: what its literals must be, and whether one of them means it. */
export interface FactCheck {
  readonly type: 'string' | 'number'
  /** Whether `>` and its kin make sense. */
  readonly ordered: boolean
  /** Says what is wrong with a literal; undefined if nothing is. */
  problem(literal: PlacedLiteral): string | undefined
  means(literal: PlacedLiteral['value'], fact: FactValue): boolean
}

const tiers: ReadonlySet<string> = new Set(['untrusted', 'probationary', 'standard', 'trusted', 'verified'])

const same: FactCheck['means'] = (literal, fact) => literal === fact

const facts: ReadonlyMap<string, Extract<ConditionSubject, { kind: 'fact' }>> = new Map([
  [
    'action.type',
    textFact(
      ({ input }) => input.action,
      (text) =>
        isCapabilityWord(text)
          ? undefined
          : `'${text}' can mean no capability: those have parts of a-z, 0-9, - and _, such as drop or database:drop`,
      (literal, fact) => wordMeans(String(literal), namesOfCapability(String(fact))),
    ),
  ],
  [
    'agent.id',
    textFact(
      ({ input }) => input.caller.name,
      (text) =>
        isAgentWord(text) ? undefined : `'${text}' can mean no agent: write a name such as research or acme/research`,
      (literal, fact) => wordMeansAgent(String(literal), String(fact)),
    ),
  ],
  [
    'agent.owner',
    textFact(
      ({ input }) => input.caller.owner,
      (text) => (text.startsWith('did:') ? undefined : `'${text}' is not a DID`),
    ),
  ],
  [
    'agent.tier',
    textFact(
      ({ input }) => input.caller.tier,
      (text) => (tiers.has(text) ? undefined : `'${text}' is none of ${[...tiers].join(', ')}`),
    ),
  ],
  [
    'agent.trust_score',
    {
      kind: 'fact',
      read: ({ input }) => input.caller.score,
      check: {
        type: 'number',
        ordered: true,
        problem: ({ value }) =>
          Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 1000
            ? undefined
            : `a score is a whole number from 0 to 1000, not ${String(value)}`,
        means: same,
      },
    },
  ],
])

const synonyms: ReadonlyMap<string, string> = new Map([
  ['action.name', 'action.type'],
  ['tool.name', 'action.type'],
  ['tool_name', 'action.type'],
  ['agent.name', 'agent.id'],
  ['agent_id', 'agent.id'],
  ['trust_score', 'agent.trust_score'],
])

/** Where the toolkit's hosts put the arguments of a call, beside the top. */
const argumentRoots: readonly string[] = ['action.args.', 'action.params.', 'action.parameters.', 'tool.args.']

/**
 * Words that the toolkit's hosts fill with facts of their own. Nothing of the mesh answers to them, and reading them from
 * the body would let a caller claim them for itself.
 */
const hostFacts: ReadonlySet<string> = new Set([
  'action',
  'agent',
  'caller',
  'context',
  'env',
  'environment',
  'identity',
  'k8s',
  'outbound',
  'output',
  'principal',
  'result',
  'ring',
  'ring_constraints',
  'session',
  'sql',
  'subject',
  'surface',
  'time',
  'tool',
  'trust',
  'user',
])

/** Says what a path stands for. Throws `ConditionFault` for one that the mesh has nothing for. */
export function subjectOf({ path, offset }: Comparison): ConditionSubject {
  const fact = facts.get(synonyms.get(path) ?? path)
  if (fact !== undefined) return fact
  const root = argumentRoots.find((start) => path.startsWith(start))
  const steps = (root === undefined ? path : path.slice(root.length)).split('.')
  const [first = ''] = steps
  if (root === undefined && hostFacts.has(first)) {
    const known = [...facts.keys(), ...argumentRoots.map((start) => `${start}*`)].join(', ')
    throw new ConditionFault(
      offset,
      `${path} is a fact of the host that the mesh does not have, and a caller could claim it: there are ${known}, and any other name reads an argument of the call`,
    )
  }
  return { kind: 'argument', steps }
}

function textFact(
  read: (from: ToolkitFacts) => string,
  problem: (text: string) => string | undefined,
  means: FactCheck['means'] = same,
): Extract<ConditionSubject, { kind: 'fact' }> {
  return {
    kind: 'fact',
    read,
    check: {
      type: 'string',
      ordered: false,
      problem: ({ value }) => (typeof value === 'string' ? problem(value) : `${String(value)} is not a text in quotes`),
      means,
    },
  }
}
