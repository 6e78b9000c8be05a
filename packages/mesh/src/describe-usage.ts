import type { Usage } from '@parley/protocol'
import type { NodeRecord } from './node.ts'

/** Writes a usage as fields of an audit record. */
export function describeUsage({ calls, tokens, money, seconds }: Usage = {}): NodeRecord {
  return {
    ...(calls === undefined ? {} : { usedCalls: calls }),
    ...(tokens === undefined ? {} : { usedTokens: tokens }),
    ...(money === undefined ? {} : { usedAmount: money.amount, usedCurrency: money.currency }),
    ...(seconds === undefined ? {} : { usedSeconds: seconds }),
  }
}
