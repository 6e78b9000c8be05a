import type { Logger } from '@parley/ports'
import { formatAmount, isUsage, MeshError, parseAmount, type Usage } from '@parley/protocol'
import { add, type AllowanceAccount, type AllowanceLedger, type Taken } from '../delegation/allowance-ledger.ts'

/** Counts what serving one hop uses up. */
export interface UsageMeter {
  /**
   * Counts usage (of seconds also fractions), durably where a share of the caller's chain is spendable here. Rejects with
   * `delegation.allowance-spent` if it does not cover this, with `contract.usage-invalid` for what is no usage.
   */
  use(usage: Usage): Promise<void>
  /** The sum so far; undefined if nothing was counted. */
  total(): Usage | undefined
  /** Resolves when everything is counted; undefined where nothing ever was. */
  idle(): Promise<unknown> | undefined
  /** Whether `error` is the refusal of the very first use: then nothing was to be done yet. */
  isFirstRefusal(error: unknown): boolean
}

type Counted = Taken & { readonly currency?: string; readonly seconds: number }

const nothing: Counted = { calls: 0, tokens: 0, micros: 0n, seconds: 0 }

/** Creates the meter of one hop over the accounts that this node counts for it. */
export function createUsageMeter(
  ledger: AllowanceLedger,
  accounts: readonly AllowanceAccount[],
  logger: Logger,
): UsageMeter {
  let counted = nothing
  let isUsed = false
  let firstRefusal: unknown
  let pending: Promise<unknown> | undefined

  const count = async (usage: Usage): Promise<void> => {
    const currency = usage.money?.currency
    const seconds = usage.seconds ?? 0
    if (
      !isUsage({ ...usage, seconds: Math.ceil(seconds) }) ||
      (currency !== undefined && counted.currency !== undefined && currency !== counted.currency)
    )
      throw new MeshError('contract.usage-invalid', 'a hop uses whole calls and tokens, and money of one currency')
    // The request itself is a call, which was taken before the handler ran.
    const calls = usage.calls ?? 0
    const debit: Taken = {
      calls: Math.max(0, counted.calls + calls - 1) - Math.max(0, counted.calls - 1),
      tokens: usage.tokens ?? 0,
      micros: usage.money ? (parseAmount(usage.money.amount) ?? 0n) : 0n,
    }
    const paid: AllowanceAccount[] = []
    for (const account of accounts) {
      const isPayable =
        currency === undefined || !account.link.allowance.money || account.link.allowance.money.currency === currency
      const taking = isPayable ? await ledger.take(account, debit) : undefined
      if (taking?.kind === 'allow') {
        paid.push(account)
        continue
      }
      for (const earlier of paid) await ledger.correct(earlier, debit, { calls: 0, tokens: 0, micros: 0n })
      const spent = new MeshError(
        'delegation.allowance-spent',
        taking?.reason ?? `the allowance is not in ${String(currency)}`,
      )
      if (!isUsed) firstRefusal = spent
      throw spent
    }
    isUsed = true
    counted = {
      ...add(counted, { ...debit, calls }),
      seconds: counted.seconds + seconds,
      ...(currency === undefined
        ? counted.currency === undefined
          ? {}
          : { currency: counted.currency }
        : { currency }),
    }
  }
  return {
    use(usage) {
      const counting = pending ? pending.then(() => count(usage)) : count(usage)
      // Who does not wait for the answer finds it here: it is no unhandled rejection, and not silent.
      pending = counting.catch((error: unknown) => {
        logger.warn('delegation.use-refused', { error: error instanceof Error ? error.message : 'not an error' })
      })
      return counting
    },
    total() {
      if (!isUsed) return undefined
      const { calls, tokens, micros, currency, seconds } = counted
      return {
        ...(calls > 0 ? { calls } : {}),
        ...(tokens > 0 ? { tokens } : {}),
        ...(currency === undefined ? {} : { money: { amount: formatAmount(micros), currency } }),
        ...(seconds > 0 ? { seconds: Math.ceil(seconds) } : {}),
      }
    },
    idle: () => pending,
    isFirstRefusal: (error) => error !== undefined && error === firstRefusal,
  }
}
