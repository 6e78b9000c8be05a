import { InvalidArgumentError, type Command } from 'commander'
import { signDeclaration } from '@parley/identity'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { allowed, formatId, MeshError, type AgentName, type Verdict } from '@parley/protocol'
import {
  createHumanVerifier,
  formatSagaStream,
  noteSaga,
  proposeDecision,
  sagaContract,
  sagaPurpose,
  type HumanDecision,
  type JournaledEvent,
  type SagaJournal,
} from '@parley/saga'
import { askAgent, tellUndone } from '../ask-agent.ts'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { findPlace } from '../find-place.ts'
import { openDeclarer } from '../open-declarer.ts'
import { parseJson } from '../parse-json.ts'
import { parseName } from '../parse-name.ts'
import { parseReason } from '../parse-reason.ts'
import { addPersonOptions, type PersonFlags } from '../person-options.ts'
import { readDeciders } from '../read-anchor.ts'
import { collect } from '../repeatable.ts'
import { findSaga, openKeptJournal } from '../saga-store.ts'
import { withStore } from '../with-store.ts'

interface DecideFlags extends PersonFlags {
  readonly credential: string
  readonly key: string
  readonly reason: string
  readonly data?: string
  readonly of?: AgentName
  readonly decider?: readonly string[]
  readonly output?: string
  readonly json?: boolean
}

/** What a person decides about a saga. */
interface Decided {
  readonly saga: string
  readonly decision: HumanDecision
  readonly about?: string
  readonly fact?: string
  readonly output?: unknown
}

/** How long a declaration holds, in milliseconds: it is handed over at once. */
const holdsMs = 600_000

/** Adds the decisions of people: each is signed by a person's credential, and stands in the saga's journal. */
export function addSagaDecisions(saga: Command, context: CliContext): void {
  const decision = (name: HumanDecision, description: string): Command =>
    addPersonOptions(
      saga
        .command(name)
        .argument('<id>', 'the saga')
        .description(`${description}; at a running agent, in the store of a stopped one, or signed for who brings it`)
        .requiredOption('--reason <text>', 'why; it goes on the record', parseReason),
      'the running agent whose saga it is; it serves saga:decide',
      ['credential', 'key'],
    )
      .option('--data <file>', 'instead of an agent: the store of a stopped node')
      .option(
        '--of <name>',
        'with --data, where several have such a saga, or alone to sign only: whose it is',
        parseName,
      )
      .option('--decider <file>', 'with --data: the anchor.json of another owner whose persons may decide', collect)
      .option('--json', 'print what was signed and what became of it as JSON')
  const aboutStep = (name: HumanDecision, description: string): Command =>
    decision(name, description).argument('<step>', 'the stuck step, as parley saga show names it')
  aboutStep('retry', 'try a stuck step again').action((id: string, step: string, flags: DecideFlags) =>
    decide(context, { saga: id, decision: 'retry', about: step }, flags),
  )
  aboutStep('skip', 'let the effect of a stuck undo stand').action((id: string, step: string, flags: DecideFlags) =>
    decide(context, { saga: id, decision: 'skip', about: step }, flags),
  )
  aboutStep('resolve', 'say what became of a stuck step')
    .argument('<fact>', 'committed, not-done or undone', parseFact)
    .option('--output <json>', 'what it would have answered, for committed')
    .action((id: string, step: string, fact: string, flags: DecideFlags) => {
      const output = flags.output === undefined ? {} : { output: parseJson('--output', flags.output) }
      return decide(context, { saga: id, decision: 'resolve', about: step, fact, ...output }, flags)
    })
  decision('cancel', 'take a saga back').action((id: string, flags: DecideFlags) =>
    decide(context, { saga: id, decision: 'cancel' }, flags),
  )
  decision('abort', 'give a saga up where it is: what it did stands').action((id: string, flags: DecideFlags) =>
    decide(context, { saga: id, decision: 'abort' }, flags),
  )
}

async function decide(context: CliContext, decided: Decided, flags: DecideFlags): Promise<void> {
  const { of, json = false } = flags
  const { saga, decision } = decided
  const place = findPlace(flags)
  if (place && 'data' in place) {
    const { declaration, verdict } = await decideInStore(context, place.data, decided, flags)
    const heard =
      verdict.kind === 'allow' ? `${formatHeard(decided)} when it starts` : `refused ${verdict.code}: ${verdict.reason}`
    context.print(json, [heard], { saga, decision, declaration, verdict })
    context.end(verdict.kind === 'allow' ? exitCodes.ok : exitCodes.no)
    return
  }
  const whose = place?.agent ?? of
  if (whose === undefined)
    throw new MeshError('cli.usage', 'give --agent or --data; or --of, whose saga it is, to sign and hand it to nobody')
  const declaration = await sign(context, whose, decided, flags)
  const facts = { saga, decision, declaration }
  if (!place) {
    context.print(json, [declaration], facts)
    context.remark(json, context.paint.dim(`signed: hand it to saga:decide of ${whose}`))
    return
  }
  const asked = await askAgent(context, sagaContract.decide, { declaration }, { ...flags, ...place })
  if (asked.kind === 'ok') context.print(json, [formatHeard(decided)], { ...facts, verdict: allowed })
  else tellUndone(context, json, asked, facts)
}

function formatHeard({ saga, decision }: Decided): string {
  return `heard: ${decision} is on the record of ${saga}; its agent goes on by it`
}

async function sign(context: CliContext, agent: AgentName, decided: Decided, flags: DecideFlags): Promise<string> {
  const issuedAtMs = createSystemClock().now()
  return signDeclaration(await openDeclarer(context, flags), {
    id: formatId(createSystemRandom().bytes(16)),
    purpose: sagaPurpose,
    content: { agent, reason: flags.reason, ...decided },
    issuedAtMs,
    expiresAtMs: issuedAtMs + holdsMs,
  })
}

/** Signs a decision about a saga of a store and writes it there, held against what the saga is at as its agent would. */
async function decideInStore(
  context: CliContext,
  data: string,
  decided: Decided,
  flags: DecideFlags,
): Promise<{ readonly declaration: string; readonly verdict: Verdict }> {
  const { anchor = [], decider = [], of } = flags
  if (anchor.length + decider.length === 0)
    throw new MeshError('cli.usage', 'give --anchor, the owner of the saga, who vouches for you')
  const { anchors, deciders } = await readDeciders(anchor, decider)
  const clock = createSystemClock()
  return withStore(data, async (store) => {
    const { agent, events, error } = await findSaga(store, decided.saga, of)
    const owner = findOwner(events)
    if (owner === undefined) throw error ?? new MeshError('saga.unknown', `the saga "${decided.saga}" cannot be read`)
    const declaration = await sign(context, agent, decided, flags)
    const verdict = createHumanVerifier({ anchors, now: () => clock.now(), owner, deciders })(declaration)
    if (verdict.kind === 'deny') return { declaration, verdict }
    const open = (): SagaJournal => openKeptJournal(store, formatSagaStream(agent, decided.saga))
    const noted = await noteSaga(open, decided.saga, proposeDecision(verdict.order.decided))
    return { declaration, verdict: noted.verdict }
  })
}

/** The owner under whom a saga began: its persons decide about it. */
function findOwner([first]: readonly JournaledEvent[]): string | undefined {
  return first?.event.type === 'started' || first?.event.type === 'sealed' ? first.event.owner : undefined
}

function parseFact(text: string): string {
  if (['committed', 'not-done', 'undone'].includes(text)) return text
  throw new InvalidArgumentError('It must be committed, not-done or undone.')
}
