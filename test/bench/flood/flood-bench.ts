import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findNatsServer, startNatsServer } from '@parley/nats-server'
import { limits } from '@parley/protocol'
import type { Bench, BenchOptions, BenchRow, BenchTarget } from '../bench.ts'
import { startBenchProcess, type BenchProcess } from '../bench-process.ts'
import { createParleyMesh } from '../hop/parley-mesh.ts'
import { spreadOf } from '../statistics.ts'
import { floodFrameBytes } from './flood-frame.ts'

/** What a frame that is not checked may cost beyond an empty callback, in microseconds. */
const maxFrameUs = 2
const maxP99Ratio = 3
/** Calls of the established peer in flight. */
const inFlight = 16
const floods = [1, 50_000]
/** Longer than a node takes to tell of the frames that it refused. */
const drainMs = 1_500

interface Parties {
  readonly node: BenchProcess
  readonly listener: BenchProcess
  readonly flooder: BenchProcess
  readonly caller: BenchProcess
}

/** A node that strangers flood, beside an empty callback under the same flood, and its established peer. */
export const floodBench: Bench = {
  name: 'flood',
  about: `50,000 frames/s of ${String(floodFrameBytes)} bytes to one node, from one sender and from 50,000: what a frame costs beyond an empty callback once the strangers' bucket is empty, how many signatures are checked, and what an established peer notices`,
  libraries: ['@nats-io/transport-node'],
  defaultRounds: 5,
  inFlight: [inFlight],
  async run(options) {
    const binary = await findNatsServer({
      env: process.env,
      cacheDir: join(import.meta.dirname, '../../../.parley/cache'),
      log: options.log,
    })
    await using server = await startNatsServer({ binary })
    await using mesh = await createParleyMesh()
    await using stack = new AsyncDisposableStack()
    const start = async (script: string, ...args: readonly string[]): Promise<BenchProcess> =>
      stack.use(await startBenchProcess(join(import.meta.dirname, script), [server.url, ...args]))
    const didFile = join(mesh.dir, 'did')
    const node = await start('flooded-node.ts', mesh.dir, didFile)
    const inbox = `iatp.1.everything.${(await readFile(didFile, 'utf8')).slice('did:key:'.length)}`
    const parties: Parties = {
      node,
      listener: await start('empty-listener.ts', 'bench.flood'),
      flooder: await start('flooder.ts', inbox, 'bench.flood'),
      caller: await start('../hop/parley-caller.ts', mesh.dir, 'everything'),
    }
    await parties.caller.measure(inFlight, options.roundMs)
    const rows: BenchRow[] = []
    const targets: BenchTarget[] = []
    for (const senders of floods) {
      const rounds: Round[] = []
      for (let round = 0; round < options.rounds; round++) {
        options.log(`${String(senders)} senders: round ${String(round + 1)} of ${String(options.rounds)}`)
        rounds.push(await runRound(parties, senders, options))
      }
      const row = formatRow(senders, rounds)
      rows.push(row)
      targets.push(...decideTargets(senders, row))
    }
    return { rows, targets }
  },
}

interface Round {
  readonly framesPerSecond: number
  readonly emptyUs: number
  readonly nodeUs: number
  readonly verifications: number
  /** Signatures that the buckets of strangers and of the peer allow in the time. */
  readonly allowed: number
  readonly quietP99Ms: number
  readonly floodedP99Ms: number
  readonly failed: number
}

async function runRound(parties: Parties, senders: number, { roundMs }: BenchOptions): Promise<Round> {
  const { node, listener, flooder, caller } = parties
  const emptyBefore = await listener.facts()
  await flooder.measure(-senders, roundMs)
  await drain(listener)
  const emptyAfter = await listener.facts()
  const emptyFrames = (emptyAfter['frames'] ?? 0) - (emptyBefore['frames'] ?? 0)
  const alone = await measureFlood(parties, senders, roundMs)
  const quiet = await caller.measure(inFlight, roundMs)
  const [flooded, sent] = await Promise.all([caller.measure(inFlight, roundMs), flooder.measure(senders, roundMs)])
  await drain(node)
  return {
    framesPerSecond: sent.callsPerSecond,
    emptyUs: ((emptyAfter.cpuMs - emptyBefore.cpuMs) * 1_000) / emptyFrames,
    ...alone,
    quietP99Ms: quiet.p99Ms,
    floodedP99Ms: flooded.p99Ms,
    failed: quiet.failed + flooded.failed,
  }
}

/** Floods the node while nobody calls it. The time of the checks that the bucket allows is left out: it is bounded. */
async function measureFlood(
  { node, flooder }: Parties,
  senders: number,
  roundMs: number,
): Promise<Pick<Round, 'nodeUs' | 'verifications' | 'allowed'>> {
  const before = await node.facts()
  const startMs = performance.now()
  const sent = await flooder.measure(senders, roundMs)
  await drain(node)
  const after = await node.facts()
  const elapsedS = (performance.now() - startMs) / 1_000
  const change = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0)
  return {
    nodeUs: ((change('cpuMs') - change('checkMs')) * 1_000) / sent.calls,
    verifications: change('verifications'),
    allowed: limits.signaturesPerSecond * (elapsedS + 1),
  }
}

/** Waits until no more frames arrive: what the server still holds when the last one was sent would be counted later. */
async function drain(receiver: BenchProcess): Promise<void> {
  for (let before = -1, now = 0; now !== before;) {
    before = now
    await sleep(drainMs)
    now = (await receiver.facts())['frames'] ?? 0
  }
}

function formatRow(senders: number, rounds: readonly Round[]): BenchRow {
  const median = (read: (round: Round) => number): number => Math.round(spreadOf(rounds.map(read)).median * 100) / 100
  return {
    senders,
    framesPerSecond: median(({ framesPerSecond }) => framesPerSecond),
    emptyUs: median(({ emptyUs }) => emptyUs),
    nodeUs: median(({ nodeUs }) => nodeUs),
    aboveEmptyUs: median(({ nodeUs, emptyUs }) => nodeUs - emptyUs),
    verifications: median(({ verifications }) => verifications),
    allowedVerifications: median(({ allowed }) => allowed),
    peerP99Ms: median(({ quietP99Ms }) => quietP99Ms),
    peerP99FloodedMs: median(({ floodedP99Ms }) => floodedP99Ms),
    p99Ratio: median(({ floodedP99Ms, quietP99Ms }) => floodedP99Ms / quietP99Ms),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  }
}

function decideTargets(senders: number, row: BenchRow): readonly BenchTarget[] {
  const who = `${String(senders)} ${senders === 1 ? 'sender' : 'senders'}`
  const atMost = (name: string, value: number, target: number): BenchTarget => ({
    name: `${name}, ${who}`,
    value,
    target,
    holds: value <= target,
  })
  return [
    atMost('microseconds a frame above an empty callback', Number(row['aboveEmptyUs']), maxFrameUs),
    atMost('signatures checked', Number(row['verifications']), Number(row['allowedVerifications'])),
    atMost('p99 of an established peer, flooded to quiet', Number(row['p99Ratio']), maxP99Ratio),
  ]
}
