import { InvalidArgumentError, type Command } from 'commander'
import { createAnchors, signDeclaration } from '@parley/identity'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { formatId, MeshError, refuse, type Verdict } from '@parley/protocol'
import {
  createHumanVerifier,
  formatSagaStream,
  noteSaga,
  proposeDecision,
  sagaContract,
  sagaPurpose,
  type HumanDecision,
  type SagaJournal,
} from '@parley/saga'
import { callOnce } from '../call-once.ts'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { openDeclarer } from '../open-declarer.ts'
import { parseAgent } from '../parse-agent.ts'
import { openKeptJournal } from '../saga-store.ts'
import { collect } from '../parse-whole.ts'
import { readAnchorFile } from '../read-anchor.ts'
import { withStore } from '../with-store.ts'

interface DecideFlags {
  readonly agent: string
  readonly credential: string
  readonly key: string
  readonly reason: string
  readonly as?: string
  readonly data?: string
  readonly anchor?: readonly string[]
  readonly nats?: string
  readonly mesh?: string
  readonly output?: string
  readonly json?: boolean
}

/** How long a declaration holds, in milliseconds: it is handed over at once. */
const holdsMs = 600_000

/** Adds the decisions of people: each is signed by a person's credential, and stands in the saga's journal. */
export function addSagaDecisions(saga: Command, context: CliContext): void {
  const decision = (usage: string, description: string): Command =>
    saga
      .command(usage)
      .description(description)
      .requiredOption('--agent <name>', 'the agent whose saga it is')
      .requiredOption('--reason <text>', 'why; it goes on the record')
      .requiredOption('--credential <file>', 'what `parley credential issue --json` printed for you')
      .requiredOption('--key <file>', 'the key of that credential')
      .option('--anchor <file>', 'the anchor.json of an owner; may be repeated', collect)
      .option('--data <file>', 'write it into the store of a stopped node')
      .option('--as <name>', 'call the running agent instead, as yourself')
      .option('--nats <url>', 'the broker; default NATS_URL')
      .option('--mesh <name>', 'the mesh; default main')
      .option('--json', 'print as JSON')
  decision('retry <id> <step>', 'try a stuck step again').action((id: string, step: string, flags: DecideFlags) =>
    decide(context, id, 'retry', { about: step }, flags),
  )
  decision('skip <id> <step>', 'let the effect of a stuck undo stand').action(
    (id: string, step: string, flags: DecideFlags) => decide(context, id, 'skip', { about: step }, flags),
  )
  decision('resolve <id> <step>', 'say what became of a stuck step')
    .argument('<fact>', 'committed, not-done or undone', parseFact)
    .option('--output <json>', 'what it would have answered, for committed')
    .action((id: string, step: string, fact: string, flags: DecideFlags) =>
      decide(context, id, 'resolve', { about: step, fact, ...parseOutput(flags.output) }, flags),
    )
  decision('cancel <id>', 'take a saga back').action((id: string, flags: DecideFlags) =>
    decide(context, id, 'cancel', {}, flags),
  )
  decision('abort <id>', 'give a saga up where it is: what it did stands').action((id: string, flags: DecideFlags) =>
    decide(context, id, 'abort', {}, flags),
  )
}

async function decide(
  context: CliContext,
  saga: string,
  decision: HumanDecision,
  more: Readonly<Record<string, unknown>>,
  flags: DecideFlags,
): Promise<void> {
  const declarer = await openDeclarer(context, flags)
  const issuedAtMs = createSystemClock().now()
  const { agent, reason } = flags
  const declaration = await signDeclaration(declarer, {
    id: formatId(createSystemRandom().bytes(16)),
    purpose: sagaPurpose,
    content: { agent, saga, decision, reason, ...more },
    issuedAtMs,
    expiresAtMs: issuedAtMs + holdsMs,
  })
  const verdict = await handOver(context, declaration, flags)
  const said = verdict ? (verdict.kind === 'allow' ? 'heard' : `refused ${verdict.code}: ${verdict.reason}`) : 'signed'
  const hint = verdict ? said : 'signed: hand it to saga:decide of the agent'
  context.print(flags.json ?? false, verdict ? [hint] : [declaration, context.paint.dim(hint)], {
    saga,
    decision,
    declaration,
    ...(verdict && { verdict }),
  })
  context.end(verdict?.kind === 'deny' ? exitCodes.no : exitCodes.ok)
}

/** Writes the decision into a store, or brings it to the running agent; undefined where neither was asked for. */
async function handOver(context: CliContext, declaration: string, flags: DecideFlags): Promise<Verdict | undefined> {
  if (flags.data !== undefined) return writeInto(flags.data, declaration, flags)
  if (flags.as === undefined) return undefined
  const { as, agent, ...rest } = flags
  const outcome = await callOnce(context, sagaContract.decide, { declaration }, { ...rest, as, to: agent })
  if (outcome.kind === 'ok') return { kind: 'allow' }
  if (outcome.kind === 'declined') {
    const details = outcome.error.details as { readonly code: string; readonly reason: string }
    return refuse('saga.decision-refused', `${details.code}: ${details.reason}`)
  }
  const hint = outcome.code === 'trust.below-threshold' ? ': have your credential issued with --calls saga:decide' : ''
  return refuse('saga.decision-refused', `the agent was not reached: ${outcome.code}${hint}`)
}

async function writeInto(data: string, declaration: string, { anchor = [], agent }: DecideFlags): Promise<Verdict> {
  if (anchor.length === 0) throw new MeshError('cli.usage', 'give --anchor, the owner who vouches for you')
  const anchors = createAnchors(await Promise.all(anchor.map(readAnchorFile)))
  const clock = createSystemClock()
  const verdict = createHumanVerifier({ anchors, now: () => clock.now() })(declaration)
  if (verdict.kind === 'deny') return verdict
  const name = parseAgent(agent)
  if (name === undefined) throw new MeshError('cli.usage', 'give --agent')
  const { saga, decided } = verdict.order
  return withStore(data, async (store) => {
    const open = (): SagaJournal => openKeptJournal(store, formatSagaStream(name, saga))
    return (await noteSaga(open, saga, proposeDecision(decided))).verdict
  })
}

function parseFact(text: string): string {
  if (['committed', 'not-done', 'undone'].includes(text)) return text
  throw new InvalidArgumentError('It must be committed, not-done or undone.')
}

function parseOutput(text: string | undefined): { readonly output?: unknown } {
  if (text === undefined) return {}
  try {
    return { output: JSON.parse(text) as unknown }
  } catch (cause) {
    throw new MeshError('cli.usage', '--output is not JSON', { cause })
  }
}
