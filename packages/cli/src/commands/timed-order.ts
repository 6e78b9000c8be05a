import type { Command } from 'commander'
import { appendOrder, type OrderTerms } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { issuerFolder } from '../issuer-folder.ts'
import { parseDuration } from '../duration.ts'
import { findOrderedPin } from '../find-ordered-pin.ts'
import { handOnHint } from '../hand-on-hint.ts'
import { assertSubject } from '../assert-subject.ts'
import { parseReason } from '../parse-reason.ts'
import { parseScore } from '../parse-score.ts'

interface TimedFlags {
  readonly issuer: string
  readonly for?: number
  readonly end?: boolean
  readonly reason?: string
  readonly json?: boolean
}

/** Adds `parley quarantine` and `parley pin`: the orders that end. */
export function addTimedOrderCommands(program: Command, context: CliContext): void {
  const folder = 'the folder of the owner; its owner.key is read, the order is kept in orders/'
  program
    .command('quarantine <subject>')
    .description(
      "sign the owner's order that a name or an instance begins nothing new for a time; lookup and undo go on",
    )
    .requiredOption('--issuer <dir>', folder)
    .option('--for <duration>', 'for how long, for instance 15m', parseDuration)
    .option('--end', 'end the quarantine that is in force')
    .option('--reason <text>', 'why; it goes on the record', parseReason)
    .option('--json', 'print the order as JSON')
    .action(async (subject: string, flags: TimedFlags) => {
      const { reason } = flags
      await sign(context, 'quarantine', subject, flags, reason === undefined ? {} : { reason })
    })
  program
    .command('pin <name>')
    .description("sign the owner's order that a name has this trust score, 0 to 1000, for a time")
    .argument('[score]', 'the score, 0 to 1000; with --end that of the pin that is ended', parseScore)
    .requiredOption('--issuer <dir>', folder)
    .option('--for <duration>', 'for how long, for instance 7d', parseDuration)
    .option('--end', 'end the pin that is in force')
    .requiredOption('--reason <text>', 'why; it goes on the record', parseReason)
    .option('--json', 'print the order as JSON')
    .action(async (name: string, score: number | undefined, flags: TimedFlags & { readonly reason: string }) => {
      assertSubject('pin', name)
      await sign(context, 'pin', name, flags, {
        score: score ?? (await findEndedScore(context, name, flags)),
        reason: flags.reason,
      })
    })
}

/** An end repeats the score that it ends: a node whose clock is behind then sees no other one meanwhile. */
async function findEndedScore(context: CliContext, name: string, { issuer, end = false }: TimedFlags): Promise<number> {
  if (!end) throw new MeshError('cli.usage', 'give a score, 0 to 1000')
  const pin = await findOrderedPin(issuerFolder(issuer, context), name)
  if (!pin) throw new MeshError('cli.usage', `no pin of ${name} is in force: there is nothing to end`)
  return pin.score
}

async function sign(
  context: CliContext,
  kind: 'quarantine' | 'pin',
  subject: string,
  { issuer, for: forMs, end = false, json = false }: TimedFlags,
  terms: OrderTerms,
): Promise<void> {
  assertSubject(kind, subject)
  if ((forMs === undefined) !== end) throw new MeshError('cli.usage', 'give --for a duration, or --end')
  const folder = issuerFolder(issuer, context)
  // One moment for both: an end is as old as its order.
  const nowMs = folder.clock.now()
  const untilMs = nowMs + (forMs ?? 0)
  const frozen = { ...folder, clock: { ...folder.clock, now: () => nowMs } }
  const { sequence, order } = await appendOrder(frozen, kind, subject, { ...terms, untilMs })
  const until = end ? 'ends now' : `until ${new Date(untilMs).toISOString()}`
  context.print(json, [order], { sequence, kind, subject, ...terms, untilMs, order })
  context.remark(
    json,
    context.paint.dim(`order ${String(sequence)}: ${kind} ${subject} ${until}; ${handOnHint(issuer)}`),
  )
}
