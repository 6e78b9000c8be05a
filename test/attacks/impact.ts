import { signatureChecks } from '../signature-checks.ts'
import type { MeshNode } from '@parley/mesh'
import type { Capability } from '@parley/protocol'
import { openTrustLedger, type TrustLedger } from '@parley/trust'
import type { TestMesh } from '@parley/testkit'
import { readHeaders } from '../integration/wire.ts'

/** All that an attack did to the node that it was made on. */
export interface Impact {
  /** The code of everything that the node recorded or counted for it. */
  readonly codes: readonly string[]
  /** What was handed to a handler, in order. */
  readonly delivered: readonly string[]
  /** What is otherwise than before: stock, orders, providers, health. */
  readonly effects: readonly string[]
  /** The names whose standing moved. */
  readonly trust: readonly string[]
  /** Envelopes that the node sent because of it. */
  readonly answers: number
  /** Ed25519 checks that ran, of frames and tokens together. */
  readonly checks: number
}

/** A refusal with this code that cost so many checks, and nothing else. */
export function refusedWith(code: string, checks: number, more: Partial<Impact> = {}): Impact {
  return { codes: [code], delivered: [], effects: [], trust: [], answers: 0, checks, ...more }
}

/** Where a test notes what its handlers did: `delivered` when one is asked, `effects` when it has changed something. */
export interface Notes {
  readonly delivered: string[]
  readonly effects: string[]
}

/**
 * Lets an attack happen to a node and tells what it did there: measured once before the clock moves, and once the node had
 * the time to write all down.
 */
export async function measureImpact(
  mesh: TestMesh,
  victim: MeshNode,
  notes: Notes,
  act: () => unknown,
): Promise<Impact> {
  // What is due anyhow is told before.
  await mesh.clock.advance(tellMs)
  await using trustBefore = await readTrust(mesh, victim)
  const before = { ...countNotes(notes), records: mesh.recordsOf(victim).length, state: stateOf(mesh, victim) }
  let answers = 0
  const stopTap = mesh.bus.tap((unit) => {
    answers += readHeaders(unit).filter(({ from, type }) => from === victim.instance && type !== 'event').length
  })
  signatureChecks.count = 0
  await act()
  await mesh.clock.settle()
  const checks = signatureChecks.count
  stopTap()
  await mesh.clock.advance(tellMs)
  await using trustAfter = await readTrust(mesh, victim)
  const state = stateOf(mesh, victim)
  const peers = (await readPeers(victim)).filter(
    (peer) => JSON.stringify(trustBefore.view(peer)) !== JSON.stringify(trustAfter.view(peer)),
  )
  return {
    codes: mesh.recordsOf(victim).slice(before.records).flatMap(codesOf),
    delivered: notes.delivered.slice(before.delivered),
    effects: [
      ...notes.effects.slice(before.effects),
      ...Object.keys(state).filter((name) => state[name] !== before.state[name]),
    ],
    trust: peers.map((peer) => peer.slice(peer.indexOf(' ') + 1)),
    answers,
    checks,
  }
}

/** Longer than a node takes to tell of the frames that it refused. */
const tellMs = 1_001

const countNotes = ({ delivered, effects }: Notes) => ({ delivered: delivered.length, effects: effects.length })

/** Capabilities whose providers are looked at. */
const watched: readonly Capability[] = ['shop:look', 'shop:buy', 'flights:reserve']

/** What an attacker may want to change in a node besides what its handlers do. */
const stateOf = (mesh: TestMesh, node: MeshNode): Readonly<Record<string, string>> => ({
  orders: JSON.stringify(mesh.recordsOf(node).filter(({ kind }) => kind === 'order')),
  providers: JSON.stringify(watched.map((one) => node.providers(one).toSorted())),
  health: JSON.stringify([node.health().live, node.health().ready]),
})

/** Folds what a running node wrote, as anybody could. */
function readTrust(mesh: TestMesh, { store }: MeshNode): Promise<TrustLedger> {
  return openTrustLedger({ store, clock: mesh.clock, verify: () => true, isRecomputed: true })
}

/** Everybody about whom the node ever wrote something into its ledger. */
async function readPeers(node: MeshNode): Promise<readonly string[]> {
  const entries = await node.store.journal.read('trust')
  const texts = entries.map(({ data }) => Buffer.from(data).toString())
  return [...new Set(texts.flatMap((text) => text.match(/did:[^"\s]+ [a-z0-9-]+\/[a-z0-9-]+/g) ?? []))]
}

/** What a record says that was refused; a summary names each code, and how often where that is not once. */
function codesOf(record: Readonly<Record<string, unknown>>): readonly string[] {
  const told = record['code'] ?? record['codes'] ?? []
  return [told].flat().flatMap((code) => (typeof code === 'string' ? code.replace(/=1$/, '') : []))
}
