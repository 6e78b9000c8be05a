import type { Command } from 'commander'
import { createKeySigner, generateSeed, isOwnerDid, openFileIssuer, signAttestation } from '@parley/identity'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { formatTime, isAgentName, MeshError, type AgentId, type AgentName } from '@parley/protocol'
import type { TrustExplanation } from '@parley/trust'
import type { CliContext } from '../cli-context.ts'
import { issuerFolder } from '../issuer-folder.ts'
import { findPeer, withTrustStore } from '../open-trust-store.ts'
import { parseDuration } from '../duration.ts'
import { parseName } from '../parse-name.ts'
import { parseReason } from '../parse-reason.ts'
import { parseScore } from '../parse-score.ts'

interface StoreFlags {
  readonly data: string
  readonly json?: boolean
}

interface PinFlags extends StoreFlags {
  readonly reason: string
  readonly for: number
}

interface AttestFlags extends StoreFlags {
  readonly issuer: string
  readonly as: AgentName
  readonly score?: number
  readonly for: number
}

/** Adds `parley trust show`, `explain`, `attest` and `pin`. */
export function addTrustCommands(program: Command, context: CliContext): void {
  const trust = program.command('trust').description('explain, pin and attest trust in the store of a stopped node')
  trust
    .command('show')
    .description('list the scores of all peers, folded anew from the evidence')
    .requiredOption('--data <file>', 'the store of a stopped node')
    .option('--json', 'print them as JSON')
    .action((flags: StoreFlags) => showPeers(context, flags))
  trust
    .command('explain <peer>')
    .description('say what moved the score of a peer, when, by how much, and what would raise it')
    .requiredOption('--data <file>', 'the store of a stopped node')
    .option('--json', 'print it as JSON')
    .action((peer: string, flags: StoreFlags) => explainPeer(context, peer, flags))
  trust
    .command('pin <peer>')
    .description('hold a score, whatever the evidence says, until an end; on the record')
    .argument('<score>', 'the score, 0 to 1000', parseScore)
    .requiredOption('--data <file>', 'the store of a stopped node')
    .requiredOption('--reason <text>', 'why; it goes on the record', parseReason)
    .requiredOption('--for <duration>', 'for how long, for instance 8h', parseDuration)
    .option('--json', 'print the pin as JSON')
    .action((peer: string, score: number, flags: PinFlags) => pinPeer(context, peer, score, flags))
  trust
    .command('attest <peer>')
    .description('sign what the ledger says of a peer, for nodes of others: prints a token')
    .requiredOption('--data <file>', 'the store of a stopped node')
    .requiredOption('--issuer <dir>', 'the folder of the owner that vouches for the name')
    .requiredOption('--as <name>', 'the agent whose word it is, for instance acme/desk', parseName)
    .option('--score <score>', 'another score than the ledger has, 0 to 1000', parseScore)
    .requiredOption('--for <duration>', 'for how long, for instance 30d', parseDuration)
    .option('--json', 'print the token as JSON')
    .action((peer: string, flags: AttestFlags) => attestPeer(context, peer, flags))
}

async function showPeers(context: CliContext, { data, json = false }: StoreFlags): Promise<void> {
  const peers = await withTrustStore(data, undefined, (ledger) =>
    ledger
      .peers()
      .map((peer) => ({ peer, ...ledger.view(peer) }))
      .toSorted((left, right) => right.score - left.score),
  )
  const lines = peers.map(
    ({ peer, score, tier, evidenceCount }) =>
      `${String(score).padStart(4)}  ${tier.padEnd(12)}  ${String(evidenceCount).padStart(8)}  ${peer}`,
  )
  context.print(json, lines.length === 0 ? [`no peers in ${data}`] : ['score tier          evidence  peer', ...lines], {
    peers,
  })
}

async function explainPeer(context: CliContext, text: string, { data, json = false }: StoreFlags): Promise<void> {
  const { peer, explanation } = await withTrustStore(data, undefined, (ledger) => {
    const peer = findPeer(ledger, text)
    return { peer, explanation: ledger.explain(peer) }
  })
  context.print(json, formatExplanation(context, peer, explanation), { peer, ...explanation })
}

function formatExplanation({ paint }: CliContext, peer: string, explanation: TrustExplanation): readonly string[] {
  const { score, tier, evidenceCount, dimensions, capabilities, moved, raise, model } = explanation
  const round = (value: number): string => String(Math.round(value))
  return [
    `${paint.bold(peer)}: ${String(score)}, ${tier}, from ${String(evidenceCount)} pieces of evidence (model ${model})`,
    ...Object.entries(dimensions).map(([name, value]) => `  ${name.padEnd(20)} ${round(value)} of 100`),
    ...Object.entries(capabilities).map(([name, value]) => `  ${name.padEnd(20)} ${round(value)}`),
    paint.bold('what moved it'),
    ...moved.map(({ atMs, before, after, what, rater, seq }) => {
      const by = `${after >= before ? '+' : ''}${String(after - before)}`
      return `  ${new Date(atMs).toISOString()}  ${by.padStart(4)} to ${String(after)}  ${what}  (${rater} #${String(seq)})`
    }),
    paint.bold('what would raise it'),
    ...raise.map((advice) => `  ${advice}`),
  ]
}

async function pinPeer(
  context: CliContext,
  text: string,
  score: number,
  { data, reason, for: forMs, json = false }: PinFlags,
): Promise<void> {
  const signer = createKeySigner(generateSeed(createSystemRandom()))
  const untilMs = createSystemClock().now() + forMs
  const known = await withTrustStore(data, undefined, (ledger) => findPeer(ledger, text))
  await withTrustStore(data, signer, async (ledger) => {
    await ledger.enter(known)
    const verdict = ledger.pin(known, score, { reason, untilMs })
    if (verdict.kind === 'deny') throw new MeshError('cli.usage', verdict.reason)
  })
  context.print(
    json,
    [`${context.paint.green('ok')} ${known} is held at ${String(score)} until ${formatTime(untilMs)}`],
    {
      peer: known,
      score,
      reason,
      untilMs,
    },
  )
}

async function attestPeer(context: CliContext, text: string, flags: AttestFlags): Promise<void> {
  const { data, as, for: forMs, json = false } = flags
  const seen = await withTrustStore(data, undefined, (ledger) => {
    const peer = findPeer(ledger, text)
    return { peer, score: flags.score ?? ledger.view(peer).score }
  })
  const signer = createKeySigner(generateSeed(createSystemRandom()))
  const issuer = await openFileIssuer(issuerFolder(flags.issuer, context))
  const issued = await issuer.issue({ name: as, instance: signer.did, serves: [], calls: [] })
  const issuedAtMs = createSystemClock().now()
  const token = await signAttestation(
    { signer, ...issued },
    { about: parsePeer(seen.peer), score: seen.score, issuedAtMs, expiresAtMs: issuedAtMs + forMs },
  )
  context.print(json, [token], { ...seen, rater: as, token })
}

function parsePeer(peer: string): AgentId {
  const [owner = '', name = ''] = peer.split(' ')
  if (isOwnerDid(owner) && isAgentName(name)) return { owner, name }
  throw new MeshError('cli.usage', `${peer} is not the key of an agent`)
}
