import type { Clock, KeyValue, Logger } from '@parley/ports'
import { isMeshError, MeshError, parseAmount, refuse, type Refusal, type Usage } from '@parley/protocol'
import type { Allowance, VerifiedLink } from '@parley/identity'
import { parseJsonBody } from '../serving/json-body.ts'

/** What is taken off an allowance; money in micro-units of its currency. `all` takes what is left. */
export interface Debit {
  readonly calls: number
  readonly tokens: number | 'all'
  readonly micros: bigint | 'all'
}

/** What was taken, so that it can be given back or corrected. */
export interface Taken {
  readonly calls: number
  readonly tokens: number
  readonly micros: bigint
}

/** One allowance with the name under which it is counted. */
export interface AllowanceAccount {
  /** `own` counts what this node spends as the delegate, `at` what is spent here, where the share names this agent. */
  readonly role: 'own' | 'at'
  readonly link: Pick<VerifiedLink, 'hash'> & { readonly allowance: Allowance }
  readonly expiresAtMs: number
}

/**
 * Counts what was spent of allowances, durably.
 *
 * I1 What `take` allowed is in the store before it resolves, so a restart does not give it back.
 * I2 The sum of what was taken never exceeds the allowance; only `correct` can leave less than nothing.
 * I3 An account is named by the hash of its chain, so that no link can pass for another.
 * I4 An account is gone two days after its link expired, where anything is counted meanwhile; never before a day is over.
 */
export interface AllowanceLedger {
  /** Takes from an account, or refuses with `delegation.allowance-spent` and takes nothing. */
  take(account: AllowanceAccount, debit: Debit): Promise<Refusal | { readonly kind: 'allow'; readonly taken: Taken }>
  /** Replaces what was taken by what was used. */
  correct(account: AllowanceAccount, taken: Taken, used: Taken): Promise<void>
  /** Forgets the accounts of links that expired long ago. Rejects with `store.corrupt` for one that cannot be read. */
  forget(): Promise<void>
}

/** An account is forgotten this long after its link expired, in milliseconds: far beyond any difference of clocks. */
const forgetAfterMs = 86_400_000
/** How many are deleted at once: a store commits together what comes together. */
const forgottenAtOnce = 256
const prefix = 'allowance/'
const nothing: Taken = { calls: 0, tokens: 0, micros: 0n }

interface Change {
  /** Returns what is spent afterwards; undefined changes nothing. */
  readonly apply: (spent: Taken) => Taken | undefined
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** Opens the ledger over a store. Changes of one account are written together while an earlier write is under way. */
export function createAllowanceLedger(parts: {
  readonly keyValue: KeyValue
  readonly clock: Clock
  readonly logger: Logger
}): AllowanceLedger {
  const { keyValue, clock, logger } = parts
  const queues = new Map<string, Change[]>()
  let forgotAtMs = clock.monotonic()

  const drain = async (key: string, queue: Change[], expiresAtMs: number): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.splice(0)
      try {
        await write(keyValue, key, expiresAtMs, batch)
        for (const { done } of batch) done()
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    }
    queues.delete(key)
  }
  const forget = async (): Promise<void> => {
    forgotAtMs = clock.monotonic()
    const lapsedMs = clock.now() - forgetAfterMs
    const accounts = await keyValue.list(prefix)
    const lapsed = accounts.filter(({ key, value }) => readAccount(key, value).expiresAtMs < lapsedMs)
    for (let at = 0; at < lapsed.length; at += forgottenAtOnce)
      await Promise.all(lapsed.slice(at, at + forgottenAtOnce).map(({ key }) => keyValue.delete(key)))
  }
  /** A node may run for years, and every call with an allowance has an account of its own. */
  const forgetDaily = (): void => {
    if (clock.monotonic() < forgotAtMs + forgetAfterMs) return
    forget().catch((error: unknown) => {
      const message = error instanceof Error ? error.message : 'not an error'
      logger.error('delegation.allowances-not-forgotten', { error: message })
    })
  }
  const change = (account: AllowanceAccount, apply: Change['apply']): Promise<void> => {
    forgetDaily()
    return new Promise((done, failed) => {
      const key = `${prefix}${account.role}/${account.link.hash}`
      const queue = queues.get(key)
      if (queue) queue.push({ apply, done, failed })
      else {
        const fresh = [{ apply, done, failed }]
        queues.set(key, fresh)
        void drain(key, fresh, account.expiresAtMs)
      }
    })
  }

  return {
    async take(account, debit) {
      let taken: Taken | undefined
      await change(account, (spent) => {
        taken = decideTaking(account.link.allowance, spent, debit)
        return taken && add(spent, taken)
      })
      return taken
        ? { kind: 'allow', taken }
        : refuse('delegation.allowance-spent', 'what is left of the allowance does not cover this')
    },
    correct: (account, taken, used) =>
      change(account, (spent) =>
        add(add(spent, used), { calls: -taken.calls, tokens: -taken.tokens, micros: -taken.micros }),
      ),
    forget,
  }
}

/** Tells what a usage takes off an allowance; what the usage does not tell stays as it was `taken`. */
export function usedOf(allowance: Allowance, usage: Usage | undefined, taken: Taken): Taken {
  const sameCurrency = usage?.money !== undefined && usage.money.currency === allowance.money?.currency
  return {
    calls: Math.max(taken.calls, usage?.calls ?? 0),
    tokens: usage?.tokens ?? taken.tokens,
    micros: sameCurrency && usage.money ? (parseAmount(usage.money.amount) ?? taken.micros) : taken.micros,
  }
}

/** Adds two takings. */
export function add(left: Taken, right: Taken): Taken {
  return {
    calls: left.calls + right.calls,
    tokens: left.tokens + right.tokens,
    micros: left.micros + right.micros,
  }
}

function decideTaking({ calls, tokens, money }: Allowance, spent: Taken, debit: Debit): Taken | undefined {
  const tokensLeft = (tokens ?? Infinity) - spent.tokens
  const microsLeft = money ? (parseAmount(money.amount) ?? 0n) - spent.micros : undefined
  const wanted = {
    calls: debit.calls,
    tokens: debit.tokens === 'all' ? (tokens === undefined ? 0 : tokensLeft) : debit.tokens,
    micros: debit.micros === 'all' ? (microsLeft ?? 0n) : debit.micros,
  }
  const isSpent =
    (debit.tokens === 'all' && tokensLeft <= 0) ||
    (debit.micros === 'all' && microsLeft !== undefined && microsLeft <= 0n)
  const fits =
    wanted.calls <= (calls ?? Infinity) - spent.calls &&
    wanted.tokens <= tokensLeft &&
    (microsLeft === undefined || wanted.micros <= microsLeft)
  return fits && !isSpent ? wanted : undefined
}

/** Writes a batch with compare and set; another process that wrote in between makes it read and decide anew. */
async function write(keyValue: KeyValue, key: string, expiresAtMs: number, batch: readonly Change[]): Promise<void> {
  for (;;) {
    const entry = await keyValue.get(key)
    const before = entry ? readAccount(key, entry.value).spent : nothing
    let spent = before
    for (const { apply } of batch) spent = apply(spent) ?? spent
    if (spent === before) return
    try {
      await keyValue.put(key, encodeAccount(spent, expiresAtMs), entry?.revision ?? 0)
      return
    } catch (error) {
      if (!isMeshError(error) || error.code !== 'store.revision-conflict') throw error
    }
  }
}

function encodeAccount({ calls, tokens, micros }: Taken, expiresAtMs: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ calls, tokens, micros: micros.toString(), expiresAtMs }))
}

function readAccount(key: string, value: Uint8Array): { readonly spent: Taken; readonly expiresAtMs: number } {
  const { calls, tokens, micros, expiresAtMs } = (parseJsonBody(value)?.value ?? {}) as Readonly<
    Record<string, unknown>
  >
  if (
    ![calls, tokens, expiresAtMs].every(Number.isSafeInteger) ||
    typeof micros !== 'string' ||
    !/^-?\d+$/.test(micros)
  )
    throw new MeshError('store.corrupt', `${key} holds no account of an allowance`)
  return {
    spent: { calls: calls as number, tokens: tokens as number, micros: BigInt(micros) },
    expiresAtMs: expiresAtMs as number,
  }
}
