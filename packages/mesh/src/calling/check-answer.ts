import type { SagaHeader } from '@parley/protocol'
import type { ContractCapability } from '../contract/contract.ts'
import type { BareOutcome } from '../contract/outcome.ts'
import { checkSchema, type SchemaCheck } from '../contract/schema.ts'

/** A callee that does not keep to the contract. */
const lie: BareOutcome = { kind: 'unknown', code: 'contract.output-invalid' }

/** Holds what a callee answers against the contract: what does not fit leaves it unknown what was done. */
export function checkAnswer(
  contract: Pick<ContractCapability, 'output' | 'errors'>,
  phase: SagaHeader['phase'],
  outcome: BareOutcome,
): BareOutcome | Promise<BareOutcome> {
  if (outcome.kind === 'declined') return checkDeclared(contract, outcome.error)
  if (outcome.kind !== 'ok' || phase !== 'do') return outcome
  const checking = checkSchema(contract.output, outcome.output)
  return checking instanceof Promise ? checking.then(readOutput) : readOutput(checking)
}

function readOutput(checked: SchemaCheck<unknown>): BareOutcome {
  return checked.kind === 'valid' ? { kind: 'ok', output: checked.value } : lie
}

async function checkDeclared(
  { errors }: Pick<ContractCapability, 'errors'>,
  { name, details }: Extract<BareOutcome, { readonly kind: 'declined' }>['error'],
): Promise<BareOutcome> {
  const schema = Object.hasOwn(errors, name) ? errors[name] : undefined
  const checked = schema ? await checkSchema(schema, details) : undefined
  return checked?.kind === 'valid' ? { kind: 'declined', error: { name, details: checked.value } } : lie
}
