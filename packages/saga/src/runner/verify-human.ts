import { verifyDeclaration, type Anchors, type Assurance, type VerifiedCredential } from '@parley/identity'
import { isAgentName, refuse, type AgentName, type Refusal } from '@parley/protocol'
import type { DecidedEvent, HumanDecision } from '../kernel/saga-event.ts'

/** What a declaration about a saga is signed for. */
export const sagaPurpose = 'saga'

/** What a human decided, and about which saga. */
export interface HumanOrder {
  /** The agent whose saga it is. */
  readonly agent: AgentName
  readonly saga: string
  readonly decided: DecidedEvent
}

/** Reads what a human declared, or refuses it. */
export type VerifyHuman = (declaration: string) => { readonly kind: 'allow'; readonly order: HumanOrder } | Refusal

/** Whom an agent hears about its sagas. */
export interface HumanVerification {
  readonly anchors: Anchors
  readonly now: () => number
  /** The owner (a DID) of the sagas, whose persons decide: `node.owner`. An anchor vouches for names, and gives nobody a say. */
  readonly owner: string
  /** Further owners (DIDs) whose persons decide as well; default none. */
  readonly deciders?: readonly string[]
  /** How strongly the person must have signed in (NIST SP 800-63B); default 2. */
  readonly assurance?: Assurance
  /** Who of the persons of those owners may decide; default all. */
  readonly who?: (name: AgentName) => boolean
}

const decisions: ReadonlySet<string> = new Set<HumanDecision>(['retry', 'skip', 'resolve', 'cancel', 'abort'])
const facts: ReadonlySet<string> = new Set(['committed', 'not-done', 'undone'])

/**
 * Creates what hears people of the sagas' owner, and of whom else it names. Codes: those of `verifyDeclaration`,
 * `saga.decision-refused`.
 */
export function createHumanVerifier(options: HumanVerification): VerifyHuman {
  const { anchors, now, owner, deciders = [], assurance = 2, who = () => true } = options
  return (token) => {
    const verdict = verifyDeclaration(token, { purpose: sagaPurpose, anchors, nowMs: now(), human: assurance })
    if (verdict.kind === 'deny') return verdict
    const { content, credential } = verdict.declaration
    const foreign = refuseForeign(credential, owner, deciders)
    if (foreign) return foreign
    if (!who(credential.name))
      return refuse('saga.decision-refused', `${credential.name} may not decide about the sagas of this agent`)
    return readOrder(token, content, credential.name)
  }
}

/** Refuses a person who is neither of the saga's owner nor of another that was named to decide. */
export function refuseForeign(
  { name, owner: theirs }: Pick<VerifiedCredential, 'name' | 'owner'>,
  owner: string,
  deciders: readonly string[],
): Refusal | undefined {
  if (theirs === owner || deciders.includes(theirs)) return undefined
  const problem = `${name} is a person of ${theirs}, and the saga is of ${owner}: only persons of its owner decide`
  return refuse('saga.decision-refused', `${problem}, unless another is named in deciders`)
}

/** Reads the content of a declaration whose signature was verified. */
export function readOrder(
  declaration: string,
  content: Readonly<Record<string, unknown>>,
  by: AgentName,
): ReturnType<VerifyHuman> {
  const { agent, saga, decision, about, fact, output, reason } = content
  const isSound =
    typeof agent === 'string' &&
    isAgentName(agent) &&
    typeof saga === 'string' &&
    typeof decision === 'string' &&
    decisions.has(decision) &&
    typeof reason === 'string' &&
    (about === undefined || typeof about === 'string') &&
    (fact === undefined || (typeof fact === 'string' && facts.has(fact)))
  if (!isSound) return refuse('saga.decision-refused', 'the declaration does not say what was decided about which saga')
  const decided: DecidedEvent = {
    type: 'decided',
    decision: decision as HumanDecision,
    ...(about !== undefined && { about }),
    ...(fact !== undefined && { fact: fact as NonNullable<DecidedEvent['fact']> }),
    ...(output !== undefined && { output }),
    reason,
    by,
    declaration,
  }
  return { kind: 'allow', order: { agent, saga, decided } }
}
