import { createLocalCaller, type Contract, type LocalNode, type Outcome, type Serves } from '@parley/mesh'
import type { SagaNode } from './saga-node.ts'

/**
 * Lets sagas call a contract that their own agent serves in this process: steps whose provider is the agent's own name, and
 * those that name none. Journal, key, epoch, lookup and undo are as for any other step; nothing is sealed, sent, judged or
 * recorded as a hop. Throws `mesh.config-invalid` where something that serves the contract is missing.
 */
export function withLocalSteps<C extends Contract>(
  node: SagaNode & LocalNode,
  contract: C,
  serves: Serves<C>,
): SagaNode & LocalNode {
  const local = createLocalCaller(node, contract, serves)
  const [alias = ''] = node.name.split('/')
  return {
    name: node.name,
    instance: node.instance,
    clock: node.clock,
    random: node.random,
    logger: node.logger,
    store: node.store,
    get owner() {
      return node.owner
    },
    call: (...called) => node.call(...called),
    stream: (...called) => node.stream(...called),
    emit: (...told) => node.emit(...told),
    record: (...fact) => node.record(...fact),
    onOutcome: (listener) => node.onOutcome(listener),
    tryCall: <Output, Declared>(...called: Parameters<SagaNode['tryCall']>): Promise<Outcome<Output, Declared>> => {
      const [capability, input, options] = called
      const isLocal = options?.to === node.name && local.serves(capability.capability)
      const outcome = isLocal ? local.tryCall(capability, input, options) : node.tryCall(...called)
      // The schemas of the contract hold what its types say, here as on the wire.
      return outcome as Promise<Outcome<Output, Declared>>
    },
    providers(capability, among) {
      const others = node.providers(capability, among)
      return local.serves(capability) && (among ?? [alias]).includes(alias) ? [node.name, ...others] : others
    },
  }
}
