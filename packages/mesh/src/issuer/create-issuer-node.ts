import { createAnchors, createJoinSeats, type OwnerIssuer } from '@parley/identity'
import { createSystemClock, silentLogger, type Attestor } from '@parley/ports'
import { openSqliteStore } from '@parley/store-sqlite'
import { assembleNode } from '../node/create-node.ts'
import { standardPipelines } from '../node/pipelines.ts'
import type { MeshNode } from '../node/node.ts'
import type { NodeIssuer, NodeOptions } from '../node/node-options.ts'
import { createComeBack } from './come-back.ts'
import { createDoor } from './create-door.ts'
import { issuerContract } from './issuer-contract.ts'
import { serveIssuer } from './serve-issuer.ts'

/** What a caller of `createIssuerNode` writes. */
export interface IssuerNodeOptions extends Omit<NodeOptions, 'name' | 'issuer' | 'serves' | 'calls'> {
  /** Signs the credentials: `openFileIssuer`, or `localIssuer` in a test. */
  readonly issuer: OwnerIssuer & NodeIssuer
  /** `<alias>/issuer` by default. */
  readonly name?: string
  /** Who decides about newcomers, besides join tokens. */
  readonly attestors?: readonly Attestor[]
  /**
   * For how long an instance whose credential expired may still renew it: as long as an issuer may be away. One hour by
   * default. A key that leaks from a stopped instance is of use for so long, unless an order takes it back.
   */
  readonly renewGraceMs?: number
  /** For how long an instance that stopped may come back with what it kept (`rejoinMesh`); seven days by default. */
  readonly rejoinMs?: number
}

const defaultRenewGraceMs = 3_600_000

/**
 * Creates the node of an issuer: it serves `issuerContract` to newcomers that an attestor admits, and renews what it gave.
 * Give it `data`: which join tokens were used is kept there, and forgotten with a store in memory. Throws as `createNode`.
 */
export async function createIssuerNode(options: IssuerNodeOptions): Promise<MeshNode> {
  const { issuer, name, attestors = [], renewGraceMs = defaultRenewGraceMs, rejoinMs, data, ...rest } = options
  const clock = rest.clock ?? createSystemClock()
  const store = rest.store ?? (await openSqliteStore({ path: data ?? ':memory:', clock }))
  try {
    const seats = createJoinSeats({
      issuer: issuer.issuer,
      grantJoin: issuer.grantJoin,
      keyValue: store.keyValue,
      clock,
      ...(rejoinMs === undefined ? {} : { rejoinMs }),
    })
    await seats.forget()
    const door = {
      owner: issuer.owner,
      anchors: createAnchors([issuer.anchor]),
      attestors: [seats.attestor, ...attestors],
      clock,
      renewGraceMs,
    }
    const node = await assembleNode(
      { ...rest, clock, store, issuer, name: name ?? `${issuer.anchor.alias}/issuer`, serves: [issuerContract] },
      standardPipelines,
      { door: createDoor(door) },
    )
    const { natsAccount } = issuer
    const logger = rest.logger ?? silentLogger
    const comeBack = createComeBack({ seats, natsAccount, door: () => node.instance, clock, logger })
    node.serve(issuerContract, serveIssuer({ ...door, issuer, comeBack, logger }))
    return node
  } catch (error) {
    await store.close()
    throw error
  }
}
