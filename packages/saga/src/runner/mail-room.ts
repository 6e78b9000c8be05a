import type { MailedOutcome, ToldOutcome } from '@parley/mesh'
import type { AgentName, InstanceDid } from '@parley/protocol'
import { foldSaga } from '../kernel/fold-saga.ts'
import type { Proposal } from '../kernel/propose.ts'
import type { SentCommand } from '../kernel/saga-event.ts'
import type { SagaState } from '../kernel/saga-state.ts'
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
 * the outcome as a receipt. It counts only if it is of exactly what was sent, by leaf, command and instance (T10).
 */
export function createMailRoom(node: SagaNode, desk: SagaDesk): MailRoom {
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
    const evidence = Buffer.from(mailed.evidence()).toString('base64url')
    await desk.note(saga.id, keep(saga.step, { phase, attempt, evidence }, verdict.outcome))
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
  readonly evidence: string
}

/** Proposes the receipt, once, and the fact where nobody knows it yet. That something was done holds for every attempt. */
function keep(step: string, receipt: Receipt, outcome: ToldOutcome): Proposal {
  return (state) => {
    const isNews = receipt.phase === 'do' && outcome.kind === 'ok' && state.steps[step]?.snapshot.value === 'unknown'
    const noted = { type: 'receipt', step, ...receipt } as const
    return isNews ? [noted, { type: 'committed', step, by: 'mailbox', output: outcome.output }] : [noted]
  }
}
