import {
  chainPermits,
  findBeyondScope,
  hashChain,
  verifyCredential,
  verifyDelegationChain,
  verifySignature,
  type Anchors,
  type VerifiedCredential,
} from '@parley/identity'
import { systemHash } from '@parley/ports'
import { limits, MeshError, verifyEvidence, type CommandEnding, type EnvelopeHeader } from '@parley/protocol'
import type { ReceiptEvent } from '../kernel/saga-event.ts'
import type { SagaState, StepState } from '../kernel/saga-state.ts'
import type { Paper } from '../receipt/paper.ts'
import { toEvidence, type SignedLine } from '../receipt/signed-line.ts'
import type { CommandAuthority, SignedBy, StepFact } from './saga-account.ts'

/** What a receipt is held against. */
export interface ReceiptSetting {
  readonly state: SagaState
  /** The name whose saga it is. */
  readonly agent: string
  /** When the receipt was written. */
  readonly atMs: number
  readonly anchors: Anchors
  readonly papers: ReadonlyMap<string, Paper>
  /** Hashes of the entries before the receipt. */
  readonly heads: ReadonlySet<string>
  /** Chains of the journal so far, by hash. */
  readonly chains: ReadonlyMap<string, readonly string[]>
}

/** A receipt that holds. */
export interface VerifiedReceipt {
  readonly ending: CommandEnding
  readonly by: SignedBy
  readonly commanded?: NonNullable<StepFact['commanded']>
  readonly command?: EnvelopeHeader
  readonly answer: EnvelopeHeader
}

const answerTypes: ReadonlySet<string> = new Set(['reply', 'completed', 'closed', 'refusal', 'outcome'])

/**
 * Verifies a receipt offline: both signatures, both credentials as of the signing, the names that were asked and that asked,
 * that the answer is of this command and the command of this step, attempt and epoch, and the right to give it. Throws a
 * `MeshError`: `saga.receipt-invalid`, or the code of the signature, credential or chain that does not hold.
 */
export function verifyReceipt(receipt: ReceiptEvent, setting: ReceiptSetting): VerifiedReceipt {
  const step = setting.state.steps[receipt.step]
  if (step?.key === undefined || step.provider === undefined) throw invalid('is of a step that nothing was sent for')
  const answer = verifyLine('answer', receipt.answer, setting)
  const { header } = answer
  demand(answerTypes.has(header.type), `is a ${header.type}, which answers nothing`)
  demand(
    answer.credential.name === step.provider,
    `is signed by ${answer.credential.name}, but ${step.provider} was asked`,
  )
  demand(
    findBeyondScope(answer.credential.serves, [step.plan.capability]) === undefined,
    `is signed by ${answer.credential.name}, which may not serve ${step.plan.capability}`,
  )
  demand(header.issuedAtMs <= setting.atMs + limits.skewMs, 'was written down before it was signed')
  const ending = header.type === 'refusal' ? 'refused' : header.ended
  if (ending === undefined) throw invalid('does not say how the command ended')
  const by = toSignedBy(answer.credential)
  if (!receipt.command) {
    checkMailed(receipt, header, step, setting.state)
    return { ending, by, answer: header }
  }
  const command = verifyLine('command', receipt.command, setting)
  checkCommand(receipt, command, step, setting)
  demand(header.inReplyTo === command.leaf, 'answers another command')
  demand(header.from === command.header.to, 'is signed by another instance than was asked')
  demand(header.to === command.header.from, 'was sent to another instance than asked')
  demand(header.session === undefined || header.session === command.header.session, 'is of another session')
  demand(header.issuedAtMs >= command.header.issuedAtMs - 2 * limits.skewMs, 'was signed before its command')
  const authority = decideAuthority(receipt, command, step, { ...setting, callee: answer.credential })
  const commanded = { ...toSignedBy(command.credential), authority, signedAtMs: command.header.issuedAtMs }
  return { ending, by, commanded, command: command.header, answer: header }
}

interface VerifiedLine {
  readonly header: EnvelopeHeader
  readonly leaf: string
  readonly credential: VerifiedCredential
}

function verifyLine(what: string, line: SignedLine, { anchors, papers, chains }: ReceiptSetting): VerifiedLine {
  const paper = papers.get(line.credential)
  if (!paper) throw invalid(`names a credential for its ${what} that is not in the file`)
  const bytes = toEvidence(line, { ...paper, links: (chain) => chains.get(chain) })
  if (!bytes) throw invalid(`holds no evidence of its ${what}`)
  const proof = verifyEvidence(systemHash, bytes, verifySignature)
  if (proof.kind === 'deny') throw new MeshError(proof.code, `the ${what}: ${proof.reason}`)
  const { header, leaf } = proof.verified
  const verdict = verifyCredential(paper, { anchors, instance: header.from, nowMs: header.issuedAtMs })
  if (verdict.kind === 'deny') throw new MeshError(verdict.code, `the ${what}: ${verdict.reason}`)
  return { header, leaf: Buffer.from(leaf).toString('base64url'), credential: verdict.credential }
}

function checkCommand(
  receipt: ReceiptEvent,
  { header, credential }: VerifiedLine,
  step: StepState,
  setting: ReceiptSetting,
): void {
  const { state, agent, heads } = setting
  const { started, instance } = state
  demand(header.type === 'request', 'has no request for a command')
  demand(credential.name === agent, `is of a command of ${credential.name}, not of ${agent}`)
  demand(credential.owner === started.owner, `is of a command under ${credential.owner}, not under ${started.owner}`)
  demand(header.from === instance, 'is of a command of an instance that does not own the saga')
  checkStep(receipt, header, step)
  checkSaga(receipt, header.saga, step, state)
  demand(header.saga?.epoch === state.epoch, 'is of a command of another epoch')
  demand(header.saga?.expiresAtMs === started.expiresAtMs, 'is of a command with another expiry of the saga')
  demand(heads.has(header.saga?.journal ?? ''), 'is of a command that was signed over another journal')
  demand(header.traceparent?.split('-')[1] === started.trace, 'is of a command of another trace')
}

function checkStep({ phase }: ReceiptEvent, header: EnvelopeHeader, { plan }: StepState): void {
  demand(
    header.capability === plan.capability,
    `is of ${header.capability ?? 'no capability'}, not of ${plan.capability}`,
  )
  demand(header.contract === plan.hash, `is of another contract of ${plan.capability}`)
  demand(header.saga?.phase === phase, `is of another phase than ${phase}`)
}

function checkSaga(
  receipt: ReceiptEvent,
  saga: EnvelopeHeader['saga'],
  { plan, key }: StepState,
  state: SagaState,
): void {
  demand(saga?.id === state.started.id, 'is of another saga')
  demand(saga?.step === plan.name, 'is of another step')
  demand(saga?.attempt === Math.max(1, receipt.attempt), 'is of another attempt')
  demand(saga?.key === key, 'is of another idempotency key')
}

/** An outcome in a mailbox repeats its command, whose bytes only the one who sent it had. */
function checkMailed(receipt: ReceiptEvent, header: EnvelopeHeader, step: StepState, state: SagaState): void {
  const sent = step.sent?.[receipt.phase]
  demand(header.type === 'outcome' && sent !== undefined, 'has no command')
  demand(header.inReplyTo === sent?.leaf && header.from === sent?.instance, 'answers another command')
  checkStep(receipt, header, step)
  checkSaga(receipt, header.saga, step, state)
  demand(header.saga?.epoch === sent?.epoch, 'is of a command of another epoch')
}

function decideAuthority(
  { phase }: ReceiptEvent,
  { header, credential }: VerifiedLine,
  { plan }: StepState,
  { state, anchors, chains, callee }: ReceiptSetting & { readonly callee: VerifiedCredential },
): CommandAuthority {
  const { owner, name } = credential
  if (phase !== 'do') return { kind: 'inbox' }
  if (header.chain === undefined) {
    demand(plan.delegation === undefined && state.started.delegation === undefined, 'is of a command without its chain')
    const beyond = findBeyondScope(credential.calls, [plan.capability])
    demand(beyond === undefined, `is of a command that ${name} had no right to give`)
    return { kind: 'own' }
  }
  const links = chains.get(header.chain)
  if (!links) throw invalid('is of a command under a chain that is not in the journal')
  demand(
    plan.delegation === undefined || hashChain(plan.delegation) === header.chain,
    'is of a command under another chain',
  )
  const verified = verifyDelegationChain(links, { anchors, nowMs: header.issuedAtMs, delegate: { owner, name } })
  if (verified.kind === 'deny') throw new MeshError(verified.code, `the chain of the command: ${verified.reason}`)
  const permitted = chainPermits(verified.chain, { capability: plan.capability, callee })
  if (permitted.kind === 'deny') throw new MeshError(permitted.code, `the chain of the command: ${permitted.reason}`)
  const { root, agents, hash } = verified.chain
  return { kind: 'delegated', root, agents, chain: hash }
}

function toSignedBy({ owner, name, instance }: VerifiedCredential): SignedBy {
  return { owner, name, instance }
}

function demand(holds: boolean, problem: string): void {
  if (!holds) throw invalid(problem)
}

function invalid(problem: string): MeshError {
  return new MeshError('saga.receipt-invalid', `the receipt ${problem}`)
}
