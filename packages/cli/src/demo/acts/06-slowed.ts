import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { AuditRecord } from '@parley/audit'
import { balanceLatencyMs } from '../agents/concierge.ts'
import type { Act } from '../act.ts'
import type { AgentProcess } from '../agent-process.ts'
import { readStoreEvidence } from '../proof/store-evidence.ts'
import { list } from '../proof/list.ts'

/** Half as slow again as the objective allows. */
const slowMs = balanceLatencyMs * 1.5
/** An objective says nothing before 20 events. */
const slowCalls = 24
/** How often it is tried whether the breaker lets a call through again. */
const tryEveryMs = 400
const card = 'card-gold'
const answer = z.object({ kind: z.string(), code: z.string().optional() })

/** Payments turns slow: the objective burns, the breaker opens, half-opens, and closes when it is fast again. */
export const slowed: Act = {
  name: '6 a slow peer',
  async perform({ cast: { concierge, payments } }) {
    const from = concierge.records.at(-1)?.seq ?? 0
    await payments.run('slow', slowMs)
    await Promise.all(Array.from({ length: slowCalls }, () => concierge.run('balance', card)))
    await payments.run('slow', 0)
    await tryUntilClosed(concierge, from)
    const { records } = await readStoreEvidence(concierge)
    const { records: theirs } = await readStoreEvidence(payments)
    const since = records.filter(({ seq }) => seq > from)
    const calls = since.filter((record) => record.kind === 'hop' && record['capability'] === 'payments:balance')
    const changes = since.filter((record) => record.kind === 'breaker' && record['event'] === 'breaker')
    const refused = calls.filter((record) => record['code'] === 'breaker.open')
    const sent = calls.filter((record) => record['sent'] === true).map(({ hop }) => hop)
    const isServed = (record: AuditRecord): boolean =>
      record.kind === 'hop' && record['capability'] === 'payments:balance'
    const served = theirs.filter(isServed).map(({ hop }) => hop)
    return [
      {
        expected: 'breaker: closed → open → half-open → closed',
        seen: `breaker: ${['closed', ...changes.map(({ to }) => String(to))].join(' → ')}`,
      },
      {
        expected: 'opened because the error budget burns',
        seen: `opened because ${/^the error budget burns/.exec(String(changes[0]?.['reason']))?.[0] ?? String(changes[0]?.['reason'])}`,
      },
      {
        expected: 'refused at once while open: true, sent: nothing',
        seen: `refused at once while open: ${String(refused.length > 0)}, sent: ${list(refused.filter((record) => record['sent'] !== false).map(({ seq }) => seq))}`,
      },
      {
        expected: 'payments served what was sent, no more: true',
        seen: `payments served what was sent, no more: ${String(served.length === sent.length && served.every((hop) => sent.includes(hop)))}`,
      },
    ]
  },
}

/** Calls now and then until the breaker has closed. */
async function tryUntilClosed(concierge: AgentProcess, from: number): Promise<void> {
  const closed = concierge.until(
    'a closed breaker',
    ({ kind, seq, to }) => kind === 'breaker' && seq > from && to === 'closed',
  )
  let isClosed = false
  const done = closed.then(
    () => (isClosed = true),
    () => (isClosed = true),
  )
  while (!isClosed) {
    const { kind } = answer.parse(await concierge.run('balance', card))
    // A probe that went well is followed at once by the next.
    if (kind !== 'ok') await Promise.race([done, delay(tryEveryMs)])
  }
  await closed
}
