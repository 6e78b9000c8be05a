import type { Command } from 'commander'
import { createKeySigner, readKeyFile, signDeclaration } from '@parley/identity'
import { approvalPurpose, readApprovalRequests, type ApprovalRequest } from '@parley/mesh'
import { createSystemClock } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { openSqliteStore } from '@parley/store-sqlite'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { parseDuration } from '../parse-duration.ts'
import { parseIssued } from '../parse-issued.ts'
import { readText } from '../read-text.ts'

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

/** Adds `parley approve list`, `grant`, `deny` and `amend`. */
export function addApproveCommands(program: Command, context: CliContext): void {
  const approve = program.command('approve').description('what waits for people, and their answers')
  approve
    .command('list')
    .description('list what a store holds of requests and their answers')
    .requiredOption('--data <file>', 'the store of a stopped node, or a copy')
    .option('--json', 'print them as JSON')
    .action(async ({ data, json = false }: { readonly data: string; readonly json?: boolean }) => {
      const requests = await readRequests(data)
      context.print(json, requests.flatMap(formatRequest), { requests })
    })
  addAnswer(approve, context, 'grant', 'granted', 'sign that this may be done, once')
  addAnswer(approve, context, 'deny', 'denied', 'sign that it may not be done')
  approve
    .command('amend <request> <arguments>')
    .description('sign that other arguments should be asked for: a call with them is decided again')
    .requiredOption('--digest <digest>', 'the digest that was asked about')
    .requiredOption('--credential <file>', 'what `parley credential issue --json` printed for you')
    .requiredOption('--key <file>', 'the key of that credential')
    .option('--text <text>', 'why')
    .option('--for <time>', 'how long the answer holds', parseDuration, defaultForMs)
    .option('--json', 'print the answer as JSON')
    .action(async (request: string, proposed: string, flags: AnswerFlags) => {
      await signAnswer(context, request, 'amended', flags, { arguments: parseArguments(proposed) })
    })
}

function addAnswer(approve: Command, context: CliContext, name: string, word: string, description: string): void {
  approve
    .command(`${name} <request>`)
    .description(description)
    .requiredOption('--digest <digest>', 'the digest that was asked about')
    .requiredOption('--credential <file>', 'what `parley credential issue --json` printed for you')
    .requiredOption('--key <file>', 'the key of that credential')
    .option('--text <text>', 'why')
    .option('--for <time>', 'how long the answer holds', parseDuration, defaultForMs)
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
  const { passphrase } = context.env
  const issued = parseIssued(flags.credential, await readText(flags.credential))
  const signer = createKeySigner(await readKeyFile(flags.key, passphrase === undefined ? {} : { passphrase }))
  const issuedAtMs = createSystemClock().now()
  const { text } = flags
  const content = { request, digest: flags.digest, word, ...(text === undefined ? {} : { text }), ...more }
  const answer = await signDeclaration(
    { signer, ...issued },
    { id: `${request}.${word}`, purpose: approvalPurpose, content, issuedAtMs, expiresAtMs: issuedAtMs + flags.for },
  )
  const hint = context.paint.dim(`${word}: hand it to the node that asked (node.approvals.answer)`)
  context.print(flags.json ?? false, [answer, hint], { request, word, answer })
  context.end(exitCodes.ok)
}

async function readRequests(path: string): Promise<readonly ApprovalRequest[]> {
  const store = await openSqliteStore({ path })
  try {
    return await readApprovalRequests(store.keyValue)
  } finally {
    await store.close()
  }
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

function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MeshError('cli.usage', 'the arguments are not JSON', { cause })
  }
}
