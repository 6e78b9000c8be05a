import { allowed, type Verdict } from '@parley/protocol'
import type { AllowanceAccount, Taken } from '../../delegation/allowance-ledger.ts'
import type { InboundHop } from '../inbound-hop.ts'
import type { Stage } from '../stage.ts'
import { askOrdersAgain } from './ask-orders-again.ts'

const oneCall: Taken = { calls: 1, tokens: 0, micros: 0n }
const none: Taken = { calls: 0, tokens: 0, micros: 0n }

/**
 * Takes one call from every share of the chain that is spendable at this agent, durably and before the handler runs. An
 * order may come meanwhile, so orders are asked again.
 */
export const allowance: Stage<InboundHop> = {
  name: 'allowance',
  run(hop) {
    const accounts = accountsAt(hop)
    return accounts.length === 0 ? allowed : takeCalls(hop, accounts)
  },
}

async function takeCalls(hop: InboundHop, accounts: readonly AllowanceAccount[]): Promise<Verdict> {
  const { allowances } = hop.parts
  const taken: AllowanceAccount[] = []
  const giveBack = async (): Promise<void> => {
    for (const account of taken) await allowances.correct(account, oneCall, none)
  }
  for (const account of accounts) {
    const taking = await allowances.take(account, { ...oneCall })
    if (taking.kind === 'deny') {
      await giveBack()
      return taking
    }
    taken.push(account)
  }
  hop.allowances = accounts
  hop.giveBackAllowance = giveBack
  return askOrdersAgain(hop)
}

/** Shares that name this agent; `delegation` has refused those that name another. */
function accountsAt({ chain }: InboundHop): readonly AllowanceAccount[] {
  return (chain?.links ?? []).flatMap(({ hash, allowance: share }) =>
    share?.at ? [{ role: 'at' as const, link: { hash, allowance: share }, expiresAtMs: chain?.expiresAtMs ?? 0 }] : [],
  )
}
