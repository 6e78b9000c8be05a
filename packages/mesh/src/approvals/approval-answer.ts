import type { Clock, Hash } from '@parley/ports'
import { verifyDeclaration, type Anchors, type OrderBook, type VerifiedCredential } from '@parley/identity'
import { approvalAnswers, digestJson, type ApprovalSubject, type ApprovalWord } from '@parley/policy'
import { isAgentName, refuse, type AgentId, type Did, type Refusal } from '@parley/protocol'
import { approvalPurpose, type ApprovalStatement, type KeptAnswer } from './approval-request.ts'

/** What a person said, proven to be that person's, as it holds now. */
export interface ReadAnswer {
  readonly statement: ApprovalStatement
  readonly credential: VerifiedCredential
  readonly signedAtMs: number
  readonly expiresAtMs: number
}

/** What answers are read with. */
export interface AnswerReader {
  readonly clock: Clock
  readonly anchors: Anchors
  readonly orders: OrderBook
}

/**
 * Verifies an answer: a declaration of a person, against whose name or instance no order stands, and about whose owner's
 * orders enough is known. Codes: those of `verifyDeclaration` and of the order book, `policy.approval-invalid`.
 */
export function readAnswer({ clock, anchors, orders }: AnswerReader, token: string): ReadAnswer | Refusal {
  const nowMs = clock.now()
  const verified = verifyDeclaration(token, { purpose: approvalPurpose, anchors, nowMs, human: 1 })
  if (verified.kind === 'deny') return verified
  const { credential, content, issuedAtMs, expiresAtMs } = verified.declaration
  for (const ordered of [
    orders.check(credential),
    orders.checkQuarantine(credential, nowMs),
    orders.checkKnown([credential.owner], 'irreversible', nowMs),
  ])
    if (ordered.kind === 'deny') return ordered
  const statement = readStatement(content)
  if (!statement) return refuse('policy.approval-invalid', 'the answer names no request, digest and word')
  return { statement, credential, signedAtMs: issuedAtMs, expiresAtMs }
}

/** Reads what an answer says without checking who says it: enough to know what it is about. */
export function peekAnswer(token: string): ApprovalStatement | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const content =
      typeof claims === 'object' && claims !== null ? (claims as { content?: unknown }).content : undefined
    return typeof content === 'object' && content !== null
      ? readStatement(content as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

/** Tells whether an answer is about a hop: by its digest, or because it proposes exactly the arguments of the hop. */
export function concerns(
  { digest, word, arguments: proposed }: ApprovalStatement,
  hop: { readonly digest: string; readonly subject: Pick<ApprovalSubject, 'argumentsHash'> },
  hash: Hash,
): boolean {
  return digest === hop.digest || (word === 'amended' && digestJson(proposed, hash) === hop.subject.argumentsHash)
}

/** Forms what is kept of an answer. */
export function keepAnswer({ statement, credential, signedAtMs, expiresAtMs }: ReadAnswer, token: string): KeptAnswer {
  const { word, text } = statement
  return {
    word,
    by: `${credential.owner} ${credential.name}`,
    name: credential.name,
    expiresAtMs,
    atMs: 0,
    signedAtMs,
    token,
    ...(text === undefined ? {} : { text }),
  }
}

/** Reads `owner name`. */
export function parseParty(party: string): AgentId | undefined {
  const [owner, name, more] = party.split(' ')
  return owner?.startsWith('did:') && name !== undefined && isAgentName(name) && more === undefined
    ? { owner: owner as Did, name }
    : undefined
}

function readStatement(content: Readonly<Record<string, unknown>>): ApprovalStatement | undefined {
  const { request, digest, word, text } = content
  if (typeof request !== 'string' || typeof digest !== 'string' || !isWord(word)) return undefined
  return {
    request,
    digest,
    word,
    ...(typeof text === 'string' ? { text } : {}),
    ...(word === 'amended' ? { arguments: content['arguments'] } : {}),
  }
}

function isWord(word: unknown): word is ApprovalWord {
  return approvalAnswers.some((known) => known === word)
}
