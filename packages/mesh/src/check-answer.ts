import type { SagaHeader } from '@parley/protocol'
import type { ContractCapability } from './contract.ts'
import type { BareOutcome } from './outcome.ts'
import { checkSchema } from './schema.ts'

/** Holds what a callee answers against the contract: what does not fit leaves it unknown what was done. */
export async function checkAnswer(
  contract: Pick<ContractCapability, 'output' | 'errors'>,
  phase: SagaHeader['phase'],
  outcome: BareOutcome,
): Promise<BareOutcome> {
  const lie: BareOutcome = { kind: 'unknown', code: 'contract.output-invalid' }
  if (outcome.kind === 'ok' && phase === 'do') {
    const checked = await checkSchema(contract.output, outcome.output)
    return checked.kind === 'valid' ? { kind: 'ok', output: checked.value } : lie
  }
  if (outcome.kind === 'declined') {
    const { name, details } = outcome.error
    const schema = Object.hasOwn(contract.errors, name) ? contract.errors[name] : undefined
    const checked = schema ? await checkSchema(schema, details) : undefined
    return checked?.kind === 'valid' ? { kind: 'declined', error: { name, details: checked.value } } : lie
  }
  return outcome
}
