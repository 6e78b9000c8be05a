import { InvalidArgumentError, Option, type Command } from 'commander'
import { signDeclaration } from '@parley/identity'
import { approvalPurpose, readApprovalRequests, type ApprovalRequest } from '@parley/mesh'
import { createSystemClock } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { openDeclarer } from '../open-declarer.ts'
import { parseDuration } from '../parse-duration.ts'
import { withStore } from '../with-store.ts'

interface AnswerFlags {
  readonly digest: string
  readonly credential: string
  readonly key: string
  readonly text?: string
  readonly for: number
  readonly data?: string
  readonly json?: boolean
}

const defaultForMs = 600_000
const requestText = 'the id of the request'

/** Adds `parley approve list`, `grant`, `deny` and `amend`. */
export function addApproveCommands(program: Command, context: CliContext): void {
  const approve = program
    .command('approve')
    .description('what waits for people, in the store of a stopped node, and their answers')
  approve
    .command('list')
    .description('list requests and their answers, out of the store of a stopped node')
    .requiredOption('--data <file>', 'the store of a stopped node, or a copy')
    .option('--json', 'print them as JSON')
    .action(async ({ data, json = false }: { readonly data: string; readonly json?: boolean }) => {
      const requests = await withStore(data, ({ keyValue }) => readApprovalRequests(keyValue))
      context.print(json, requests.length === 0 ? [`no requests in ${data}`] : requests.flatMap(formatRequest), {
        requests,
      })
    })
  addAnswer(approve, context, 'grant', 'granted', 'sign that this may be done, once')
  addAnswer(approve, context, 'deny', 'denied', 'sign that it may not be done')
  approve
    .command('amend')
    .description('sign that other arguments should be asked for: a call with them is decided again')
    .argument('<request>', requestText, parseRequest)
    .argument('<arguments>', 'what to ask for instead, as JSON')
    .requiredOption('--digest <digest>', 'the digest that was asked about', parseDigest)
    .requiredOption('--credential <file>', 'what `parley credential issue --json` printed for you')
    .requiredOption('--key <file>', 'the key of that credential')
    .option('--text <text>', 'why')
    .addOption(holdsFor())
    .option('--json', 'print the answer as JSON')
    .action(async (request: string, proposed: string, flags: AnswerFlags) => {
      await signAnswer(context, request, 'amended', flags, { arguments: parseArguments(proposed) })
    })
}

function addAnswer(approve: Command, context: CliContext, name: string, word: string, description: string): void {
  approve
    .command(name)
    .description(description)
    .argument('<request>', requestText, parseRequest)
    .requiredOption('--digest <digest>', 'the digest that was asked about', parseDigest)
    .requiredOption('--credential <file>', 'what `parley credential issue --json` printed for you')
    .requiredOption('--key <file>', 'the key of that credential')
    .option('--text <text>', 'why')
    .addOption(holdsFor())
    .option('--json', 'print the answer as JSON')
    .action(async (request: string, flags: AnswerFlags) => {
      await signAnswer(context, request, word, flags, {})
    })
}

async function signAnswer(
  context: CliContext,
  request: string,
  word: string,
  flags: AnswerFlags,
  more: { readonly arguments?: unknown },
): Promise<void> {
  const declarer = await openDeclarer(context, flags)
  const issuedAtMs = createSystemClock().now()
  const { text } = flags
  const content = { request, digest: flags.digest, word, ...(text === undefined ? {} : { text }), ...more }
  const answer = await signDeclaration(declarer, {
    id: `${request}.${word}`,
    purpose: approvalPurpose,
    content,
    issuedAtMs,
    expiresAtMs: issuedAtMs + flags.for,
  })
  const hint = context.paint.dim(`${word}: hand it to the node that asked (node.approvals.answer)`)
  context.print(flags.json ?? false, [answer, hint], { request, word, answer })
  context.end(exitCodes.ok)
}

function formatRequest(request: ApprovalRequest): readonly string[] {
  const { id, digest, subject, reason, expiresAtMs, answers, usedAtMs } = request
  const until = new Date(expiresAtMs).toISOString()
  return [
    `${id}  ${subject.action} for ${subject.requester}${subject.saga === '' ? '' : `, saga step ${subject.saga}`}`,
    `  ${reason}; ${usedAtMs === undefined ? `until ${until}` : 'used'}`,
    `  arguments ${JSON.stringify(request.arguments)}`,
    `  digest ${digest}`,
    ...answers.map(({ word, name, text }) => `  ${word} by ${name}${text === undefined ? '' : `: ${text}`}`),
  ]
}

function holdsFor(): Option {
  return new Option('--for <time>', 'how long the answer holds').argParser(parseDuration).default(defaultForMs, '10m')
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

function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MeshError('cli.usage', 'the arguments are not JSON', { cause })
  }
}
