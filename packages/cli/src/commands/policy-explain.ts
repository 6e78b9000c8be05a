import type { Command } from 'commander'
import {
  checkInputKeys,
  explainPolicy,
  makeInput,
  replayDecision,
  type DocumentDemand,
  type DocumentLimit,
  type PolicyDecision,
  type PolicyExplanation,
  type PolicyInput,
  type PolicySet,
  type ReplayedDecision,
} from '@parley/policy'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { compilePolicyFiles } from '../compile-policy-files.ts'
import { readDecisionRecords, type DecisionRecord } from '../decision-records.ts'
import { formatDuration } from '../duration.ts'
import { exitCodes } from '../exit-code.ts'
import { parseJson } from '../parse-json.ts'
import { collect } from '../repeatable.ts'
import { readText } from '../read-file.ts'

interface ExplainFlags {
  readonly input?: string
  readonly hop?: string
  readonly data?: readonly string[]
  readonly body?: string
  readonly json?: boolean
}

/** A recorded decision beside the same one decided now. */
type Replay = DecisionRecord & { readonly replayed?: ReplayedDecision }

/** Adds `parley policy explain`. */
export function addPolicyExplainCommand(policy: Command, context: CliContext): void {
  policy
    .command('explain [files...]')
    .description('say of each rule whether it matched a hop, made up or recorded, and which clause was false first')
    .option('--input <json>', 'a hop as in a test table; @file reads it from a file')
    .option('--hop <id>', 'a recorded hop of a node with `keepDecisions`: decided again, by the documents given')
    .option('--data <file>', 'with --hop: a store of a stopped node, or an export', collect)
    .option('--body <json>', 'with --hop: the body, where the node kept its digest alone; @file reads it from a file')
    .option('--json', 'print the decision and every rule as JSON')
    .action(async (files: readonly string[], flags: ExplainFlags) => {
      const { input, hop, data, json = false } = flags
      if ((input === undefined) === (hop === undefined))
        throw new MeshError('cli.usage', 'give either --input, or --hop and --data')
      const set = await compilePolicyFiles(files)
      if (hop !== undefined) {
        if (!data) throw new MeshError('cli.usage', '--hop needs --data: where the node recorded it')
        context.end(await replayHop(context, set, hop, { ...flags, data }))
        return
      }
      const explained = explainPolicy(set, await readInput(input ?? ''))
      context.print(json, formatExplanation(context, explained), explained)
    })
}

async function replayHop(
  context: CliContext,
  set: PolicySet,
  hop: string,
  { data, body: given, json = false }: ExplainFlags & { readonly data: readonly string[] },
): Promise<number> {
  const body = given === undefined ? undefined : { value: await readJson('--body', given) }
  const records = await readDecisionRecords(hop, data)
  const replays = records.map((record): Replay =>
    record.kept ? { ...record, replayed: replayDecision(set, record.kept, { body: body ?? record.body }) } : record,
  )
  if (replays.length === 0) {
    const where = data.join(', ')
    throw new MeshError('cli.usage', `no decision about ${hop} in ${where}: a node records them with \`keepDecisions\``)
  }
  const lines = replays.flatMap((replay) => formatReplay(context, replay))
  context.print(json, lines, { hop, replays })
  const isSame = replays.every(({ replayed }) => replayed?.isSameVerdict === true && replayed.isSamePolicy)
  return isSame ? exitCodes.ok : exitCodes.no
}

function formatReplay(context: CliContext, { file, seq, side, kept, replayed }: Replay): readonly string[] {
  const { paint } = context
  const title = paint.bold(`${side}, record ${String(seq)} of ${file}`)
  if (!kept || !replayed) return [title, '  what it was decided on was too large to be kept']
  const { isSamePolicy, isSameVerdict, body, failed, decision } = replayed
  const said = `${kept.kind} by ${kept.document}#${kept.rule}${kept.code === undefined ? '' : ` ${kept.code}`}`
  const because = failed?.because === undefined ? '' : `: ${failed.because}`
  return [
    title,
    `  recorded: ${said}`,
    isSameVerdict ? paint.green('  the same verdict again') : paint.red('  another verdict now'),
    ...(isSamePolicy
      ? []
      : [`  ${paint.red('other documents')}: policy ${kept.policyHash} decided, these are ${decision.policyHash}`]),
    ...(body === 'missing' ? ['  a rule read the body, of which the digest was kept: give it with --body'] : []),
    ...(body === 'other' ? ['  the body that was given is not the one that was decided on'] : []),
    ...(failed ? [`  first that failed: ${failed.document}#${failed.rule} (${failed.result})${because}`] : []),
    ...formatExplanation(context, replayed).map((line) => `  ${line}`),
  ]
}

function formatExplanation({ paint }: CliContext, { decision, rules }: PolicyExplanation): readonly string[] {
  const { rewritten } = decision
  const approval = decision.kind === 'deny' ? decision.approval : undefined
  const passing = decision.kind === 'allow' ? decision : approval?.approved
  return [
    formatDecision(paint, decision),
    ...(approval?.demands ?? []).map(formatDemand),
    ...(passing?.limits ?? []).map(formatLimit),
    ...(passing?.obligations.length ? [`  obliges to ${passing.obligations.join(', ')}`] : []),
    ...(rewritten ? [`  body rewritten by ${rewritten.rules.join(', ')}: ${JSON.stringify(rewritten.body)}`] : []),
    ...rules.map((each) => {
      const why = each.because === undefined ? '' : `: ${each.because}`
      return `  ${each.result.padEnd(11)} ${each.document}#${each.rule} (${each.effect})${why}`
    }),
  ]
}

function formatDecision(paint: CliContext['paint'], decision: PolicyDecision): string {
  const by = `by ${decision.document}#${decision.rule}`
  if (decision.kind === 'allow') return `${paint.green('allow')} ${by}`
  const { approval, code, reason } = decision
  return approval
    ? `${paint.yellow('require_approval')} ${by}: ${reason}`
    : `${paint.red('deny')} ${by} ${code}: ${reason}`
}

function formatDemand({ document, rule, approvers, requires, forMs }: DocumentDemand): string {
  const whom = approvers.length > 0 ? approvers.join(', ') : 'anybody whose credential grants to approve'
  return `  ${document}#${rule} asks ${String(requires)} of ${whom}, within ${formatDuration(forMs)}`
}

function formatLimit({ document, rule, take, max, perMs }: DocumentLimit): string {
  return `  ${document}#${rule} takes ${String(take)} of ${String(max)} every ${formatDuration(perMs)}, if that is left`
}

async function readInput(given: string): Promise<PolicyInput> {
  const described = await readJson('--input', given)
  const input = makeInput(described)
  if (!input) throw new MeshError('cli.usage', '--input is not an object with at least an action')
  const [wrong] = checkInputKeys(described)
  if (wrong) throw new MeshError('cli.usage', `--input: ${wrong.problem}`)
  return input
}

async function readJson(flag: string, given: string): Promise<unknown> {
  return parseJson(flag, given.startsWith('@') ? await readText(given.slice(1)) : given)
}
