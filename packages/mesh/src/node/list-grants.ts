import type { ContractEvent } from '../contract/event.ts'
import { issuerContract } from '../issuer/issuer-contract.ts'
import { isMeshJoin, type NodeConfig } from './node-options.ts'

/** Lists what a node asks its issuer for: what it serves and emits, and what it calls and hears, each once. */
export function listGrants(config: Pick<NodeConfig, 'serves' | 'calls' | 'listens' | 'issuer'>): {
  readonly serves: readonly string[]
  readonly calls: readonly string[]
} {
  const served = config.serves.flatMap(({ capabilities, events }) => {
    const emitted: readonly ContractEvent[] = Object.values(events)
    return [...capabilities, ...emitted]
  })
  const renewed = isMeshJoin(config.issuer) ? [issuerContract.renew] : []
  return { serves: namesOf(served), calls: namesOf([...config.calls, ...config.listens, ...renewed]) }
}

function namesOf(granted: readonly { readonly capability: string }[]): readonly string[] {
  return [...new Set(granted.map(({ capability }) => capability))]
}
