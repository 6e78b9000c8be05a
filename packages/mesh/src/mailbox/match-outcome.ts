import { allowed, refuse, type AgentId, type EnvelopeHeader, type SagaHeader, type Verdict } from '@parley/protocol'
import type { VerifiedCredential } from '@parley/identity'
import type { AskedCommand } from './mailed-outcome.ts'

const commandFields = ['id', 'step', 'attempt', 'epoch', 'key', 'phase'] as const

/** Decides whether an outcome is of what was asked; `of` is the agent that was asked, as this node's anchors resolve it. */
export function matchOutcome(
  header: EnvelopeHeader,
  responder: Pick<VerifiedCredential, 'owner' | 'name' | 'instance'>,
  asked: AskedCommand,
  of: AgentId | undefined,
): Verdict {
  const { capability, instance, leaf, saga } = asked
  if (leaf === undefined && saga === undefined) return mismatch('no leaf and no command was given to match it by')
  if (of?.owner !== responder.owner || of.name !== responder.name)
    return mismatch(`${responder.name} answered, but ${asked.of} was asked`)
  if (instance !== undefined && instance !== responder.instance)
    return mismatch(`another instance of ${responder.name} was asked`)
  if (header.capability !== capability.capability || header.contract !== capability.hash)
    return mismatch(`it is of another capability or contract than ${capability.capability}`)
  if (leaf !== undefined && header.inReplyTo !== leaf) return mismatch('it answers another request')
  const other = saga && findOtherField(header.saga, saga)
  return other === undefined ? allowed : mismatch(`the command has another ${other}`)
}

/** Names what a command is otherwise than it was asked. */
export function findOtherField(
  given: SagaHeader | undefined,
  asked: Pick<SagaHeader, (typeof commandFields)[number]>,
): string | undefined {
  return commandFields.find((field) => given?.[field] !== asked[field])
}

function mismatch(why: string): Verdict {
  return refuse('iatp.outcome-mismatch', why)
}
