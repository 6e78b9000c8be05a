import type { MailedOutcome, ToldOutcome } from '@parley/mesh'
import { systemHash } from '@parley/ports'
import { commitBody, decodeEvidence, MeshError, parseHeader, type AgentName, type InstanceDid } from '@parley/protocol'
import { foldSaga } from '../kernel/fold-saga.ts'
import type { Proposal } from '../kernel/propose.ts'
import type { SentCommand } from '../kernel/saga-event.ts'
import type { SagaState } from '../kernel/saga-state.ts'
import { isInFlight } from '../kernel/settle-tree.ts'
import type { PaperShelf } from '../receipt/paper-shelf.ts'
import { toSignedLine, type SignedLine } from '../receipt/signed-line.ts'
import type { SagaDesk } from './saga-desk.ts'
import type { SagaNode } from './saga-node.ts'
import { toStepCapability } from './step-capability.ts'

/** Takes in outcomes that came to the mailbox of the agent's name. */
export interface MailRoom {
  hear(mailed: MailedOutcome): Promise<void>
  /** A saga was taken over: what came for it meanwhile counts now. */
  deliver(id: string): void
}

/** Outcomes for sagas of other instances that are kept, should one of them go: the oldest make room. */
const maxHeld = 1_000

/**
 * Creates a mail room. The instance that drives a saga settles what became of a step by it, where that is unknown, and keeps
 * the outcome as a receipt where the answer did not come. It counts only if it is of exactly what was sent, by leaf, command and instance (T10).
 */
export function createMailRoom(node: SagaNode, desk: SagaDesk, papers: PaperShelf): MailRoom {
  const held = new Map<string, MailedOutcome>()

  const take = async (mailed: MailedOutcome, state: SagaState): Promise<void> => {
    const { saga } = mailed
    const step = saga && state.steps[saga.step]
    const sent = saga && step?.sent?.[saga.phase]
    if (!saga || !sent || step.key === undefined || step.provider === undefined) return
    const definition = desk.registry.find(state.started.definition)
    const known = saga.phase === 'do' ? definition?.steps.get(saga.step)?.capability : undefined
    const { leaf, attempt, epoch, phase } = sent
    const verdict = await mailed.settle({
      capability: known ?? toStepCapability(step.plan),
      of: step.provider as AgentName,
      instance: sent.instance as InstanceDid,
      leaf,
      saga: { id: saga.id, step: saga.step, attempt, epoch, key: step.key, phase },
    })
    if (verdict.kind === 'deny') return
    await desk.note(saga.id, keep(saga.step, { phase, attempt, answer: await readAnswer(mailed) }, verdict.outcome))
  }

  /** The envelope carries the tokens of its signer itself: they are kept as those of every other receipt. */
  const readAnswer = async (mailed: MailedOutcome): Promise<SignedLine> => {
    const decoded = decodeEvidence(mailed.evidence({ withBody: false }))
    if (decoded.kind === 'deny') throw new MeshError(decoded.code, decoded.reason)
    const header = parseHeader(decoded.evidence.header)
    if (header.kind === 'deny') throw new MeshError(header.code, header.reason)
    const { credential = '', statement = '' } = header.header
    const paper = await papers.keep({ credential, statement })
    return toSignedLine(decoded.evidence, paper, ({ salt, body }) => commitBody(systemHash, salt, body))
  }

  return {
    async hear(mailed) {
      const { saga } = mailed
      if (!saga) return
      const driver = desk.driven.get(saga.id)
      if (driver) return take(mailed, driver.feed.state)
      const past = await desk.open(saga.id).read()
      if (past.length === 0) return
      const state = foldSaga(past.map(({ event }) => event))
      if (state.instance === node.instance) return take(mailed, state)
      // Only whom the step was sent to may have anything kept here.
      if (state.steps[saga.step]?.provider !== mailed.responder.name) return
      held.set(mailed.leaf, mailed)
      const [oldest] = held.keys()
      if (held.size > maxHeld && oldest !== undefined) held.delete(oldest)
    },
    deliver(id) {
      for (const [leaf, mailed] of held) {
        if (mailed.saga?.id !== id) continue
        held.delete(leaf)
        this.hear(mailed).catch((error: unknown) => {
          node.logger.warn('saga.mail-unread', { saga: id, error: error instanceof Error ? error.message : '' })
        })
      }
    },
  }
}

interface Receipt {
  readonly phase: SentCommand['phase']
  readonly attempt: number
  readonly answer: SignedLine
}

/**
 * Proposes the fact where nobody knows it yet, and the receipt where there is none of that attempt and no answer is waited
 * for, which would bring a better one. That something was done holds for every attempt.
 */
function keep(step: string, receipt: Receipt, outcome: ToldOutcome): Proposal {
  return (state) => {
    const known = state.steps[step]
    const status = known?.snapshot.value
    const isNews = receipt.phase === 'do' && outcome.kind === 'ok' && status === 'unknown'
    const isKept = known?.receipts?.[receipt.phase] === receipt.attempt
    const isAwaited = !known || isInFlight(known) || status === 'undoing' || status === 'unknown'
    const noted = { type: 'receipt', step, ...receipt } as const
    if (isNews) return [noted, { type: 'committed', step, by: 'mailbox', output: outcome.output }]
    return isKept || isAwaited || outcome.kind === 'unknown' ? [] : [noted]
  }
}
