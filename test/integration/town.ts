import {
  defineContract,
  type AppendedRecord,
  type AskedCommand,
  type CallOptions,
  type Hop,
  type MailedOutcome,
  type MeshNode,
  type Outcome,
  type SagaCommand,
} from '@parley/mesh'
import { systemHash } from '@parley/ports'
import { formatMailboxSubject, formatMailboxToken } from '@parley/protocol'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { z } from 'zod'
import { createRogue, type Rogue } from './rogue.ts'

const house = z.object({ house: z.string() })
export const site = defineContract('site', {
  build: {
    input: house,
    output: z.object({ keys: z.number() }),
    errors: { flooded: z.object({ cm: z.number() }) },
    progress: z.object({ storey: z.number() }),
    risk: 'irreversible',
  },
  survey: { input: house, output: z.object({ secret: z.string() }), risk: 'read', confidential: true },
})

export const command: SagaCommand = {
  id: 'move-7',
  step: 'house',
  attempt: 2,
  epoch: 3,
  key: 'acme/desk/move-7/house',
  phase: 'do',
  expiresAtMs: 2_000_000_000_000,
}
export const asked: AskedCommand<{ keys: number }, { flooded: { cm: number } }> = {
  capability: site.build,
  of: 'acme/builder',
  saga: command,
}

export interface Town extends AsyncDisposable {
  readonly mesh: TestMesh
  readonly builder: MeshNode
  /** Two instances of one name: the one that asks, and one that goes on. */
  readonly desk: MeshNode
  readonly sibling: MeshNode
  readonly mailbox: string
  /** What the sibling heard. */
  readonly mails: readonly MailedOutcome[]
  /** Ends the work that was taken on last. */
  finish(result: unknown): Promise<void>
  build(options?: CallOptions): Promise<Outcome>
  /** The records of a kind, once what is on its way to the log is written. */
  recordsOf(node: MeshNode, kind: string): Promise<readonly AppendedRecord[]>
}

export type BuildHop = Hop<{ flooded: { cm: number } }, { storey: number }>

export async function openTown(): Promise<Town> {
  const mesh = createTestMesh()
  const mails: MailedOutcome[] = []
  let work: { readonly hop: BuildHop; readonly end: (result: never) => void } | undefined
  const builder = await mesh.node('acme/builder', {
    serves: [site],
    serve(node) {
      node.serve(site, {
        build: (_, hop) => {
          hop.accept(60_000)
          return new Promise((end) => (work = { hop, end }))
        },
        survey: () => ({ secret: 'the cellar is wet' }),
      })
    },
  })
  const calls = [site.build, site.survey]
  const desk = await mesh.node('acme/desk', { calls })
  const sibling = await mesh.node('acme/desk', {
    calls,
    serve(node) {
      node.onOutcome((mailed) => void mails.push(mailed))
    },
  })
  return {
    mesh,
    builder,
    desk,
    sibling,
    mails,
    mailbox: formatMailboxToken(systemHash, { owner: mesh.issuer.owner, name: 'acme/desk' }),
    async finish(result) {
      const given = typeof result === 'function' ? (result as (hop: BuildHop) => unknown)(work?.hop as never) : result
      work?.end(given as never)
      await mesh.clock.settle()
    },
    build: (options) => desk.tryCall(site.build, { house: 'elm 3' }, { mailbox: true, saga: command, ...options }),
    async recordsOf(node, kind) {
      await mesh.clock.settle()
      return mesh.recordsOf(node).filter((record) => record.kind === kind)
    },
    [Symbol.asyncDispose]: () => mesh.close(),
  }
}

/** Has the desk ask and go away for good, and the work end after that; gives what the sibling heard. */
export async function outliveTheDesk(town: Town, result: unknown = { keys: 2 }): Promise<MailedOutcome> {
  void town.build()
  await town.mesh.clock.settle()
  town.mesh.disconnect(town.desk)
  await town.mesh.clock.advance(20_000)
  await town.finish(result)
  const [mailed] = town.mails
  if (!mailed) throw new Error('nothing came to the mailbox')
  return mailed
}

/** A sound outcome but for what is replaced, by a rogue with a credential of its own. */
export function outcomeBy(rogue: Rogue, town: Town, header: Readonly<Record<string, unknown>> = {}) {
  const { credential, statement } = rogue.issued
  const traceparent = `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`
  const { capability, hash: contract } = site.build
  const told = { capability, contract, traceparent, saga: command, inReplyTo: 'L'.repeat(43), ended: 'ok' }
  return {
    header: { type: 'outcome', to: town.mailbox, credential, statement, ...told, ...header },
    body: { outcome: { kind: 'ok', output: { keys: 9 } } },
  }
}

export async function mail(rogue: Rogue, town: Town, header?: Readonly<Record<string, unknown>>): Promise<void> {
  const { bytes } = await rogue.frame([outcomeBy(rogue, town, header)])
  await rogue.publish(formatMailboxSubject('main', town.mailbox, rogue.did), bytes)
}

/** The codes that the next summary of the sibling's rejected frames tells. */
export async function countedBy(town: Town): Promise<readonly unknown[]> {
  await town.mesh.clock.advance(1_001)
  const rejected = await town.recordsOf(town.sibling, 'rejected')
  return rejected.flatMap(({ codes }) => String(codes).split(',')).toSorted()
}

export const createBuilder = (town: Town, serves: readonly string[] = ['site:build']): Promise<Rogue> =>
  createRogue(town.mesh, 'acme/builder', { serves })
