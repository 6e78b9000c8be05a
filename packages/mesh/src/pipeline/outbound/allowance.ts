import { allowed, parseAmount, refuse, type Verdict } from '@parley/protocol'
import { usedOf, type AllowanceAccount, type Debit, type Taken } from '../../delegation/allowance-ledger.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import type { Stage } from '../stage.ts'

const none: Taken = { calls: 0, tokens: 0, micros: 0n }

/**
 * Takes from the allowance of the chain what the call hands on and what it may use, durably and before anything is sent.
 * A call that does not say how much it may use takes all that is left until its reply tells.
 */
export const allowance: Stage<OutboundHop> = {
  name: 'allowance',
  run: (hop) => (hop.chain?.account || (hop.handFrom?.account && hop.options.allowance) ? debit(hop) : allowed),
}

async function debit(hop: OutboundHop): Promise<Verdict> {
  const { options, chain, handFrom } = hop
  const share = options.allowance
  if (handFrom?.account && share) {
    const verdict = await take(hop, handFrom.account, {
      calls: share.calls ?? 0,
      tokens: share.tokens ?? 0,
      micros: share.money ? (parseAmount(share.money.amount) ?? 0n) : 0n,
    })
    if (verdict.kind === 'deny') return verdict
  }
  if (!chain?.account) return allowed
  const { money } = options.spend ?? {}
  const micros = money && parseAmount(money.amount)
  if (
    money &&
    (micros === undefined || money.currency !== (chain.account.link.allowance.money?.currency ?? money.currency))
  )
    return refuse('delegation.allowance-spent', 'what the call may spend is no amount in the currency of its allowance')
  return take(hop, chain.account, { calls: 1, tokens: options.spend?.tokens ?? 'all', micros: micros ?? 'all' }, true)
}

async function take(hop: OutboundHop, account: AllowanceAccount, debit: Debit, isUse = false): Promise<Verdict> {
  const { allowances } = hop.parts
  const taking = await allowances.take(account, debit)
  if (taking.kind === 'deny') return taking
  const { taken } = taking
  const settleEarlier = hop.settleTaken
  hop.settleTaken = async (outcome) => {
    await settleEarlier?.(outcome)
    // A share that left this process is the callee's, whatever it answers.
    const isUnused = hop.sent !== true || (isUse && outcome.kind === 'refused')
    if (isUnused) await allowances.correct(account, taken, none)
    else if (isUse) await allowances.correct(account, taken, usedOf(account.link.allowance, hop.usage, taken))
  }
  return allowed
}
