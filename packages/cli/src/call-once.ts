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
import { isAgentName, MeshError, type AgentName } from '@parley/protocol'
import type { CliContext } from './cli-context.ts'
import { parseIssued } from './parse-issued.ts'
import { readAnchorFile } from './read-anchor.ts'
import { readApprovalFile } from './read-approval.ts'
import { readText } from './read-text.ts'

/** Who calls, and where. */
export interface CallerFlags {
  readonly as: string
  readonly to?: string
  readonly issuer?: string
  readonly credential?: string
  readonly key?: string
  readonly nats?: string
  readonly mesh?: string
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
  { env }: CliContext,
  contract: ContractCapability,
  input: unknown,
  flags: CallerFlags,
): Promise<Outcome> {
  const nats = flags.nats ?? env.natsUrl
  if (nats === undefined) throw new MeshError('cli.usage', 'there is no broker: give --nats or set NATS_URL')
  const { to, mesh, data, deadline, onBehalfOf } = flags
  assertName('--as', flags.as)
  if (to !== undefined) assertName('--to', to)
  const others = await Promise.all((flags.anchor ?? []).map(readAnchorFile))
  const protection = env.passphrase === undefined ? {} : { passphrase: env.passphrase }
  const approvals = await Promise.all((flags.approval ?? []).map(readApprovalFile))
  const caller = await openCaller(flags, protection)
  await using node = await createNode({
    name: flags.as,
    issuer: caller.issuer,
    ...(caller.keys ? { keys: caller.keys } : {}),
    anchors: [...caller.anchors, ...others],
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
  { issuer: dir, credential, key, natsAccount: accountDir }: CallerFlags,
  protection: { readonly passphrase?: string },
): Promise<{ readonly issuer: Issuer; readonly keys?: InstanceKeys; readonly anchors: readonly Anchor[] }> {
  const random = createSystemRandom()
  if (credential !== undefined && key !== undefined && dir === undefined) {
    const issuer = createGivenIssuer(parseIssued(credential, await readText(credential)))
    const signer = createKeySigner(await readKeyFile(key, protection))
    return { issuer, keys: { signer, nkey: generateUserNkey(random) }, anchors: [] }
  }
  if (dir === undefined || credential !== undefined || key !== undefined)
    throw new MeshError('cli.usage', 'give --issuer, or --credential with --key and the --anchor of its owner')
  const natsAccount = accountDir === undefined ? undefined : await openNatsAccount({ dir: accountDir, ...protection })
  const clock = createSystemClock()
  const issuer = await openFileIssuer({ dir, clock, random, ...protection, ...(natsAccount ? { natsAccount } : {}) })
  return { issuer, anchors: [issuer.anchor] }
}

function assertName(option: string, name: string): asserts name is AgentName {
  if (!isAgentName(name)) throw new MeshError('cli.usage', `${option} ${name} is not of the form owner/agent`)
}
