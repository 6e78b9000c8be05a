import type { Assurance } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import { verifySagaExport, type SagaAccount, type SagaVerdict, type StepFact } from '@parley/saga'
import type { CliContext } from './cli-context.ts'
import { describeCode } from './describe-code.ts'
import { exitCodes } from './exit-code.ts'
import { printable, printableTime } from './printable.ts'
import { readDeciders } from './read-anchor.ts'

/** Flags of `parley verify` that are about sagas. */
export interface SagaProofFlags {
  readonly anchor?: readonly string[]
  readonly assurance?: Assurance
  readonly decider?: readonly string[]
  readonly head?: string
  readonly own?: boolean
}

/** What holds for every code: those of a journal speak to who runs its store, and this is a file that somebody gave. */
const tamperedTodo =
  'Do not believe the file; ask for a fresh export of the store. One that says the same was written so, or its store is damaged.'

const mark = Buffer.from('{"parley":"saga"')

/** Tells by its first bytes whether a file is an exported saga. */
export function isSagaFile(bytes: Uint8Array): boolean {
  return mark.equals(bytes.subarray(0, mark.length))
}

/** Verifies an exported saga and prints who did what under whose authority. Returns the exit code. */
export async function verifySagaFile(
  context: CliContext,
  file: string,
  bytes: Uint8Array,
  { anchor = [], decider = [], assurance, head, own, json }: SagaProofFlags & { readonly json: boolean },
): Promise<number> {
  if (anchor.length === 0)
    throw new MeshError(
      'cli.usage',
      'give --anchor, the owners whom you accept: nothing in the file is believed about them',
    )
  const verdict = verifySagaExport(Buffer.from(bytes).toString('utf8'), {
    ...(await readDeciders(anchor, decider)),
    ...(assurance !== undefined && { assurance }),
    ...(own === true && { believesOwn: true }),
    ...(head !== undefined && { head: parseHead(head) }),
  })
  const told = 'code' in verdict ? { ...verdict, todo: findTodo(verdict) } : verdict
  context.print(json, formatVerdict(context, file, verdict), { file, ...told })
  return verdict.kind === 'proved' ? exitCodes.ok : exitCodes.no
}

/** What to do about a file that shows nothing. */
function findTodo({ kind, code }: Extract<SagaVerdict, { readonly code: string }>): string {
  return (kind === 'unaccepted' ? describeCode(code)?.todo : undefined) ?? tamperedTodo
}

function parseHead(text: string): { readonly entries: number; readonly hash: string } {
  const [, entries, hash] = /^(\d+):([A-Za-z0-9_-]{43})$/.exec(text) ?? []
  if (entries === undefined || hash === undefined)
    throw new MeshError('cli.usage', `--head ${text} is not of the form ENTRIES:HASH, as verify prints it`)
  return { entries: Number(entries), hash }
}

function formatVerdict({ paint }: CliContext, file: string, verdict: SagaVerdict): readonly string[] {
  if ('code' in verdict) {
    const { kind, line, code, reason } = verdict
    return [
      `${kind === 'tampered' ? paint.red(kind) : paint.yellow(kind)} ${file}: line ${String(line)} (${code})`,
      `  ${printable(reason)}`,
      `what to do: ${findTodo(verdict)}`,
    ]
  }
  const { account } = verdict
  const { agent, saga, definition, status, entries, head, claimed } = account
  const said = verdict.kind === 'proved' ? paint.green('proved') : paint.yellow('claimed')
  return [
    `${said} ${file}: saga ${printable(saga)} of ${agent} is ${status}`,
    `  ${printable(definition.name)}@${String(definition.version)}, ${printableTime(account.startedAtMs)} to ${printableTime(account.lastAtMs)} by its orchestrator's clock`,
    `  head ${String(entries)}:${head}`,
    '',
    ...account.facts.flatMap((fact) => formatFact(account, fact)),
    ...account.decisions.map(
      ({ decision, about, by, reason, line }) =>
        `  ${by.name} decided ${decision}${about === undefined ? '' : ` ${printable(about)}`}, and signed it (line ${String(line)}): ${printable(JSON.stringify(reason))}`,
    ),
    ...claimed.map((step) =>
      paint.yellow(`  not proven: what became of ${printable(step)} is only the word of ${agent}`),
    ),
    ...(['completed', 'compensated', 'aborted'].includes(status)
      ? []
      : [paint.yellow('  it is not over here: nothing in a file can show that it did not go on')]),
    paint.dim('  not in the file: orders, as revocations, that stood against anybody at that time'),
  ]
}

function formatFact({ agent }: SagaAccount, fact: StepFact): readonly string[] {
  const { step, fact: what, capability, proof, by, commanded, code, attempt, epoch, line } = fact
  const who =
    proof === 'signed'
      ? `${by?.name ?? ''} signed it`
      : proof === 'human'
        ? 'a person decided it'
        : `${agent} says so, unsigned`
  const why = code === undefined ? '' : ` (${printable(code)})`
  const first = `  ${printable(step)} ${what}${why}: ${capability}, ${who} (line ${String(line)})`
  if (!commanded) return [first]
  const under =
    commanded.authority.kind === 'delegated'
      ? `delegated by ${[commanded.authority.root, ...commanded.authority.agents.map(({ name }) => name)].join(' to ')}`
      : commanded.authority.kind === 'own'
        ? 'by its own credential'
        : 'by the command that it gave before'
  return [
    first,
    `    asked by ${commanded.name} under ${commanded.owner}, ${under}; attempt ${String(attempt)}, epoch ${String(epoch)}, ${printableTime(commanded.signedAtMs)}`,
    ...formatBodies(fact),
  ]
}

function formatBodies({ input, output }: StepFact): readonly string[] {
  const said = [
    ...(input === undefined ? [] : [`input ${input}`]),
    ...(output === undefined ? [] : [`output ${output}`]),
  ]
  return said.length === 0 ? [] : [`    ${said.join(', ')}`]
}
