import { createTraceId } from '../calling/traceparent.ts'
import { MeshError, refuse, type Refusal, type Verdict } from '@parley/protocol'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import type { CallOptions } from '../calling/call-options.ts'
import { printCapability, type ContractCapability } from '../contract/contract.ts'
import type { NodeParts } from '../node/node-parts.ts'
import type { NodePolicy, Tool } from './node-policy.ts'
import type { OutboundHop } from '../pipeline/outbound-hop.ts'
import { lookUp } from '../pipeline/outbound/address.ts'
import { delegation } from '../pipeline/outbound/delegation.ts'
import { dryPolicy } from '../pipeline/outbound/dry-policy.ts'
import { input } from '../pipeline/outbound/input.ts'
import { orders } from '../pipeline/outbound/orders.ts'
import { trust } from '../pipeline/outbound/trust.ts'
import { runStages, type Stage } from '../pipeline/stage.ts'
import { createEnvelopeId } from '../session/sealer.ts'

const dryStages: readonly Stage<OutboundHop>[] = [input, lookUp, orders, delegation, trust, dryPolicy]
/** Without arguments there is nothing to hold against their schema. */
const toolStages = dryStages.filter((stage) => stage !== input)

/** Creates what a node tells of its policy. */
export function createNodePolicy(
  active: () => NodeParts | undefined,
  calls: readonly ContractCapability[],
): NodePolicy {
  const ask = async (
    stages: readonly Stage<OutboundHop>[],
    contract: ContractCapability,
    value: unknown,
    options: CallOptions,
  ): Promise<Verdict> => {
    const parts = active()
    if (!parts) return refuse('mesh.not-started', 'the node is not started, or closed')
    const hop: OutboundHop = {
      parts,
      contract,
      input: value,
      options,
      id: createEnvelopeId(parts.random),
      trace: createTraceId(parts.random),
      startedAtMs: parts.clock.monotonic(),
    }
    return runStages(stages, hop, parts.logger)
  }
  const describe = async (contract: ContractCapability): Promise<readonly Tool[]> => {
    const verdict = await ask(toolStages, contract, undefined, {})
    if (verdict.kind === 'deny' && !mayDependOnArguments(verdict)) return []
    const { input: inputSchema, output: outputSchema } = printCapability(contract)
    const needsApproval = verdict.kind === 'deny' && verdict.code === 'policy.approval-required'
    return [{ name: contract.capability, risk: contract.risk, inputSchema, outputSchema, needsApproval }]
  }
  const desk = (): ApprovalDesk => {
    const parts = active()
    if (!parts) throw new MeshError('mesh.not-started', 'the node is not started: nothing waits for people')
    return parts.approvals
  }
  return {
    can: (contract, value, options = {}) => ask(dryStages, contract, value, options),
    tools: async () => (await Promise.all(calls.map(describe))).flat(),
    approvals: { list: async () => desk().list(), answer: async (token) => desk().answer(token) },
  }
}

/** A rule that reads the body cannot be evaluated without one: with some arguments it may let the call pass. */
function mayDependOnArguments({ code }: Refusal): boolean {
  return code === 'policy.evaluation-failed' || code === 'policy.approval-required'
}
