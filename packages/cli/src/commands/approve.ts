import { InvalidArgumentError, Option, type Command } from 'commander'
import { signDeclaration } from '@parley/identity'
import { approvalPurpose, type ApprovalView } from '@parley/mesh'
import { digestJson, digestSubject } from '@parley/policy'
import { createSystemClock, systemHash } from '@parley/ports'
import { tellUndone } from '../ask-agent.ts'
import type { CliContext } from '../cli-context.ts'
import { parseDuration } from '../duration.ts'
import { exitCodes } from '../exit-code.ts'
import { openDeclarer } from '../open-declarer.ts'
import { parseJson } from '../parse-json.ts'
import { parseReason } from '../parse-reason.ts'
import { addPersonOptions, type NeededOption } from '../person-options.ts'
import { printable } from '../printable.ts'
import { bringAnswer, listApprovals, type ApprovalFlags } from '../reach-approvals.ts'

interface ListFlags extends ApprovalFlags {
  readonly open?: boolean
  readonly json?: boolean
}

interface AnswerFlags extends ApprovalFlags {
  readonly digest: string
  readonly credential: string
  readonly key: string
  readonly reason?: string
  readonly for: number
  readonly json?: boolean
}

const defaultForMs = 600_000
const requestText = 'the id of the request'

/** Adds `parley approve list`, `grant`, `deny` and `amend`. */
export function addApproveCommands(program: Command, context: CliContext): void {
  const approve = program
    .command('approve')
    .description('what waits for people, at a running agent or in the store of a stopped one, and their answers')
  addPlace(
    approve.command('list').description('list requests and their answers').option('--open', 'only what waits'),
    [],
  ).action(async (flags: ListFlags) => {
    await list(context, flags)
  })
  addAnswer(approve, context, 'grant', 'granted', 'sign that this may be done, once')
  addAnswer(approve, context, 'deny', 'denied', 'sign that it may not be done')
  answering(approve, 'amend', 'sign that it may be done, once, with other arguments, and not as it was asked for')
    .argument('<arguments>', 'what to do it with instead, as JSON')
    .action(async (request: string, proposed: string, flags: AnswerFlags) => {
      await answer(context, request, 'amended', flags, { arguments: parseJson('the second argument', proposed) })
    })
}

function addAnswer(approve: Command, context: CliContext, name: string, word: string, description: string): void {
  answering(approve, name, description).action(async (request: string, flags: AnswerFlags) => {
    await answer(context, request, word, flags, {})
  })
}

function answering(approve: Command, name: string, description: string): Command {
  const command = approve
    .command(name)
    .description(`${description}; at a running agent, in the store of a stopped one, or for who brings it`)
    .argument('<request>', requestText, parseRequest)
    .requiredOption('--digest <digest>', 'the digest that was asked about', parseDigest)
    .option('--reason <text>', 'why; it goes on the record', parseReason)
    .addOption(holdsFor())
  return addPlace(command, ['credential', 'key'])
}

function addPlace(command: Command, needed: readonly NeededOption[]): Command {
  return addPersonOptions(command, 'the running agent that asks people; it serves approvals', needed)
    .option('--data <file>', 'instead of an agent: the store of a stopped node')
    .option('--json', 'print it as JSON')
}

async function list(context: CliContext, flags: ListFlags): Promise<void> {
  const { open = false, json = false } = flags
  const found = await listApprovals(context, flags, open ? 'open' : undefined)
  if ('kind' in found) {
    tellUndone(context, json, found)
    return
  }
  const requests = found.map((view) => ({ ...view, holds: holds(view) }))
  const none = `no ${open ? 'open ' : ''}requests ${flags.agent === undefined ? 'in' : 'at'} ${flags.agent ?? flags.data ?? ''}`
  context.print(json, requests.length === 0 ? [none] : requests.flatMap((one) => formatRequest(context, one)), {
    requests,
  })
  if (requests.some((one) => !one.holds)) context.end(exitCodes.no)
}

async function answer(
  context: CliContext,
  request: string,
  word: string,
  flags: AnswerFlags,
  more: { readonly arguments?: unknown },
): Promise<void> {
  const { reason, json = false } = flags
  const declarer = await openDeclarer(context, flags)
  const issuedAtMs = createSystemClock().now()
  const content = { request, digest: flags.digest, word, ...(reason === undefined ? {} : { text: reason }), ...more }
  const signed = await signDeclaration(declarer, {
    id: `${request}.${word}`,
    purpose: approvalPurpose,
    content,
    issuedAtMs,
    expiresAtMs: issuedAtMs + flags.for,
  })
  const facts = { request, word, answer: signed }
  const verdict = await bringAnswer(context, flags, signed)
  if (verdict === undefined) {
    context.print(json, [signed], facts)
    context.remark(json, context.paint.dim(`${word}: hand it to who asked, for \`parley call --approval\``))
  } else if (verdict.kind === 'allow') {
    context.print(json, [`${word}: heard by ${flags.agent ?? flags.data ?? ''}`], { ...facts, verdict })
  } else if (verdict.kind === 'deny') {
    context.print(json, [`refused ${verdict.code}: ${verdict.reason}`], { ...facts, verdict })
    context.end(exitCodes.no)
  } else tellUndone(context, json, verdict, facts)
}

/** Whether the digest is of what is shown: else somebody would sign another thing than was read. */
function holds({ digest, subject, arguments: shown }: ApprovalView): boolean {
  return digestSubject(subject, systemHash) === digest && digestJson(shown, systemHash) === subject.argumentsHash
}

function formatRequest(context: CliContext, request: ApprovalView & { readonly holds: boolean }): readonly string[] {
  const { id, digest, subject, reason, status, expiresAtMs, answers } = request
  const until = new Date(expiresAtMs).toISOString()
  const step = subject.saga === '' ? '' : `, saga step ${subject.saga}`
  const lines = [
    `${id}  ${subject.action} for ${subject.requester}${step}`,
    `  ${reason}; ${status === 'open' ? `open until ${until}` : status}`,
    `  arguments ${JSON.stringify(request.arguments)}`,
    ...(request.holds ? [`  digest ${digest}`] : []),
    ...answers.map(formatAnswer),
  ].map(printable)
  const forged = context.paint.red('  its digest is not of what is shown here: do not answer it')
  return request.holds ? lines : [...lines, forged]
}

function formatAnswer({ word, name, text, becomes, ...said }: ApprovalView['answers'][number]): string {
  const to = becomes === undefined ? '' : ` to ${JSON.stringify(said.arguments)}, request ${becomes}`
  return `  ${word} by ${name}${to}${text === undefined ? '' : `: ${text}`}`
}

function holdsFor(): Option {
  return new Option('--for <duration>', 'how long the answer holds')
    .argParser(parseDuration)
    .default(defaultForMs, '10m')
}

/** Reads the id of a request, 128 bits in base64url. */
function parseRequest(text: string): string {
  if (/^[\w-]{22}$/.test(text)) return text
  throw new InvalidArgumentError('It must be the id of a request, 22 characters; parley approve list shows it.')
}

/** Reads the digest of a request, SHA-256 in base64url. */
function parseDigest(text: string): string {
  if (/^[\w-]{43}$/.test(text)) return text
  throw new InvalidArgumentError('It must be the digest of a request, 43 characters; parley approve list shows it.')
}
