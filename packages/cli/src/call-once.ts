import {
  createGivenIssuer,
  createKeySigner,
  generateUserNkey,
  openFileIssuer,
  openNatsAccount,
  readKeyFile,
  type Anchor,
  type InstanceKeys,
} from '@parley/identity'
import { createNode, type ContractCapability, type Outcome } from '@parley/mesh'
import { createSystemClock, createSystemRandom, type Issuer } from '@parley/ports'
import { MeshError, type AgentName } from '@parley/protocol'
import { findBroker, type BrokerFlags } from './broker-options.ts'
import type { CliContext } from './cli-context.ts'
import { parseIssued } from './parse-issued.ts'
import { readAnchors } from './read-anchor.ts'
import { readApprovalFile } from './read-approval.ts'
import { readText } from './read-file.ts'

/** Who calls, and where. */
export interface CallerFlags extends BrokerFlags {
  readonly as: AgentName
  readonly to?: AgentName
  readonly issuer?: string
  readonly credential?: string
  readonly key?: string
  readonly anchor?: readonly string[]
  readonly natsAccount?: string
  readonly data?: string
  readonly deadline?: number
  readonly onBehalfOf?: string
  /** Files with signed answers of people. */
  readonly approval?: readonly string[]
}

/** Starts a node for one call, and returns its outcome. Rejects with `cli.usage` for flags that do not go together. */
export async function callOnce(
  context: CliContext,
  contract: ContractCapability,
  input: unknown,
  flags: CallerFlags,
): Promise<Outcome> {
  const { as, to, mesh, data, deadline, onBehalfOf } = flags
  const nats = findBroker(context, flags)
  const approvals = await Promise.all((flags.approval ?? []).map(readApprovalFile))
  const caller = await openCaller(context, flags)
  await using node = await createNode({
    name: as,
    issuer: caller.issuer,
    ...(caller.keys ? { keys: caller.keys } : {}),
    anchors: caller.anchors,
    calls: [contract],
    nats: { servers: nats, maxReconnectAttempts: 0 },
    ...(mesh === undefined ? {} : { mesh }),
    ...(data === undefined ? {} : { data }),
  })
  await node.start()
  return await node.tryCall(contract, input, {
    ...(to === undefined ? {} : { to }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(approvals.length === 0 ? {} : { approvals }),
  })
}

/** Opens what a call is signed with: an issuer's folder, which gives a fresh key its credential, or a person's own. */
async function openCaller(
  { protection }: CliContext,
  { issuer: dir, credential, key, natsAccount: accountDir, anchor = [] }: CallerFlags,
): Promise<{ readonly issuer: Issuer; readonly keys?: InstanceKeys; readonly anchors: readonly Anchor[] }> {
  const random = createSystemRandom()
  const others = await readAnchors(anchor)
  if (credential !== undefined && key !== undefined && dir === undefined && others.length > 0) {
    const issuer = createGivenIssuer(parseIssued(credential, await readText(credential)))
    const signer = createKeySigner(await readKeyFile(key, protection))
    return { issuer, keys: { signer, nkey: generateUserNkey(random) }, anchors: others }
  }
  if (dir === undefined || credential !== undefined || key !== undefined)
    throw new MeshError('cli.usage', 'give --issuer, or --credential with --key and the --anchor of its owner')
  const natsAccount = accountDir === undefined ? undefined : await openNatsAccount({ dir: accountDir, ...protection })
  const clock = createSystemClock()
  const issuer = await openFileIssuer({ dir, clock, random, ...protection, ...(natsAccount ? { natsAccount } : {}) })
  return { issuer, anchors: [issuer.anchor, ...others] }
}
