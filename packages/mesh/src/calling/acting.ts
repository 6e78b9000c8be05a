import { AsyncLocalStorage } from 'node:async_hooks'
import { refuse, type Refusal } from '@parley/protocol'
import type { CallOptions } from './call-options.ts'
import type { HandedChain } from '../delegation/handed-chain.ts'

/** For whom the code that runs now acts. */
export interface Acting {
  /** Runs a handler: whatever it calls from here on is for its caller, under `handed` if there is one. */
  run<Result>(handed: HandedChain | undefined, work: () => Result): Result
  /**
   * Decides under which chain a call acts: the one that it names, else, in a handler, the one that the handler's caller
   * handed on. A call from a handler that has neither must say `authority: 'own'`, or the node would be a confused
   * deputy: `delegation.not-handed-on`.
   */
  decide(options: CallOptions): { readonly kind: 'allow'; readonly links?: readonly string[] } | Refusal
}

/** Creates the memory of one node: a call of another node in the same process is that node's own. */
export function createActing(): Acting {
  const storage = new AsyncLocalStorage<{ readonly handed: HandedChain | undefined }>()
  return {
    run: (handed, work) => storage.run({ handed }, work),
    decide({ delegation, authority }) {
      if (delegation) return { kind: 'allow', links: delegation }
      const serving = storage.getStore()
      if (!serving || authority === 'own') return { kind: 'allow' }
      if (serving.handed) return { kind: 'allow', links: serving.handed.links }
      return refuse(
        'delegation.not-handed-on',
        "the caller handed no chain on; a handler that acts in its node's own right says authority: 'own'",
      )
    },
  }
}
