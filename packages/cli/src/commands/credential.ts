import type { Command } from 'commander'
import {
  createAnchors,
  openFileIssuer,
  verifyCredential,
  type Assurance,
  type VerifiedCredential,
} from '@parley/identity'
import { createSystemClock, type IssuedCredential } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { issuerFolder } from '../issuer-folder.ts'
import { formatDuration, parseDuration } from '../duration.ts'
import { parseIssued } from '../parse-issued.ts'
import { parseLevel } from '../parse-level.ts'
import { collect } from '../repeatable.ts'
import { readAnchors } from '../read-anchor.ts'
import { readInstance } from '../read-instance.ts'
import { readText } from '../read-file.ts'

interface IssueFlags {
  readonly issuer: string
  readonly instance: string
  readonly serves?: readonly string[]
  readonly calls?: readonly string[]
  readonly human?: Assurance
  readonly life?: number
  readonly json?: boolean
}

interface ShowFlags {
  readonly anchor: readonly string[]
  readonly json?: boolean
}

/** Adds `parley credential issue` and `parley credential show`. */
export function addCredentialCommands(program: Command, context: CliContext): void {
  const credential = program.command('credential').description('give a credential by hand, and see what one says')
  credential
    .command('issue <name>')
    .description("sign a credential with an issuer's folder, for instance for a person's key")
    .requiredOption('--issuer <dir>', 'a folder that `parley issuer init` made')
    .requiredOption('--instance <did>', 'the did:key that it is for, as `parley keys show` prints it')
    .option('--serves <pattern>', 'a capability that it may serve', collect)
    .option('--calls <pattern>', 'a capability that it may call', collect)
    .option('--human <level>', 'it is of a person who signed in with 1, 2 or 3 (NIST SP 800-63B)', parseLevel)
    .option('--life <duration>', 'for how long, within what the statement allows; default 15m', parseDuration)
    .option('--json', 'print it as JSON')
    .action(async (name: string, flags: IssueFlags) => {
      const issued = await issue(context, name, flags)
      const until = new Date(issued.expiresAtMs).toISOString()
      const { json = false } = flags
      context.print(json, [issued.credential, issued.statement], { name, ...issued })
      context.remark(json, context.paint.dim(`${name} until ${until}`))
    })
  credential
    .command('show <file>')
    .description('verify a credential, as `credential issue --json` printed it, and say what it grants')
    .requiredOption('--anchor <file>', 'an anchor.json to verify it against', collect)
    .option('--json', 'print the verdict as JSON')
    .action(async (file: string, flags: ShowFlags) => {
      await show(context, file, flags)
    })
}

async function issue(context: CliContext, name: string, flags: IssueFlags): Promise<IssuedCredential> {
  const { instance, serves = [], calls = [], human, life } = flags
  const issuer = await openFileIssuer({
    ...issuerFolder(flags.issuer, context),
    ...(human === undefined ? {} : { allow: { [name]: { serves, calls, human } } }),
    ...(life === undefined ? {} : { credentialMs: life }),
  })
  const nowMs = createSystemClock().now()
  const issued = await issuer.issue({ name, instance, serves, calls })
  // Whole seconds, since a credential begins with one.
  const givenMs = Math.ceil((issued.expiresAtMs - nowMs) / 1_000) * 1_000
  if (life !== undefined && givenMs < life)
    throw new MeshError(
      'cli.usage',
      `--life ${formatDuration(life)} is more than the statement of ${flags.issuer} allows: ${formatDuration(givenMs)} at most`,
    )
  return issued
}

async function show(context: CliContext, file: string, { anchor, json = false }: ShowFlags): Promise<void> {
  const presented = parseIssued(file, await readText(file))
  const anchors = createAnchors(await readAnchors(anchor))
  const expected = { anchors, instance: readInstance(presented.credential), nowMs: createSystemClock().now() }
  const verdict = verifyCredential(presented, expected)
  if (verdict.kind === 'allow') {
    context.print(json, describe(context, verdict.credential), { valid: true, credential: verdict.credential })
    return
  }
  const { code, reason } = verdict
  context.print(json, [`${context.paint.red('refused')} ${code}`, reason], { valid: false, code, reason })
  context.end(exitCodes.no)
}

function describe({ paint }: CliContext, credential: VerifiedCredential): readonly string[] {
  const { name, owner, instance, serves, calls, ceiling, agentKind, signIn, expiresAtMs, id, nkey } = credential
  return [
    `${paint.green('valid')} ${name} of ${owner}`,
    `instance  ${instance}`,
    ...(nkey === undefined ? [] : [`nkey      ${nkey}`]),
    `kind      ${agentKind}${signIn ? `, signed in with level ${String(signIn.assurance)} at ${isoOf(signIn.atMs)}` : ''}`,
    `serves    ${serves.join(', ') || 'nothing'}`,
    `calls     ${calls.join(', ') || 'nothing'}`,
    `ceiling   ${String(ceiling)}`,
    `until     ${isoOf(expiresAtMs)}`,
    paint.dim(`id        ${id}`),
  ]
}

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
