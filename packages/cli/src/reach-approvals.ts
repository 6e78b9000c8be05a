import {
  approvalContract,
  describeRequest,
  openApprovals,
  type ApprovalView,
  type NodePolicy,
  type Outcome,
} from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { MeshError, refuse, type Refusal, type Verdict } from '@parley/protocol'
import { callOnce } from './call-once.ts'
import type { CliContext } from './cli-context.ts'
import { describeCode } from './describe-code.ts'
import { readAnchorFile } from './read-anchor.ts'
import { readAgent } from './read-instance.ts'
import { parseIssued } from './parse-issued.ts'
import { readText } from './read-text.ts'
import { withStore } from './with-store.ts'

/** Where approvals are: at a running agent, or in the store of a stopped node. */
export interface ApprovalFlags {
  readonly agent?: string
  readonly as?: string
  readonly credential?: string
  readonly key?: string
  readonly anchor?: readonly string[]
  readonly nats?: string
  readonly mesh?: string
  readonly data?: string
}

/** A page is enough to read; whoever has more asks for what is open only. */
const maxPages = 64

/** Lists requests. Resolves with a refusal where the agent gives none; rejects as `callOnce` and `withStore` do. */
export async function listApprovals(
  context: CliContext,
  flags: ApprovalFlags,
  status: string | undefined,
): Promise<readonly ApprovalView[] | Refusal> {
  if (placeOf(flags) === 'store')
    return inStore(flags, async (approvals) => {
      const nowMs = createSystemClock().now()
      const all = (await approvals.list()).map((request) => describeRequest(request, nowMs))
      return all.filter((view) => status === undefined || view.status === status)
    })
  const found: ApprovalView[] = []
  let after: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const input = { ...(status === undefined ? {} : { status }), ...(after === undefined ? {} : { after }) }
    const outcome = await callOnce(context, approvalContract.list, input, await callerOf(flags))
    if (outcome.kind !== 'ok') return refusalOf(outcome)
    const { requests, next } = outcome.output as { readonly requests: readonly ApprovalView[]; readonly next?: string }
    found.push(...requests)
    if (next === undefined) break
    after = next
  }
  return found
}

/** Brings a signed answer to where the request is; undefined where no place was named. */
export async function bringAnswer(
  context: CliContext,
  flags: ApprovalFlags,
  answer: string,
): Promise<Verdict | undefined> {
  if (flags.agent === undefined && flags.data === undefined) return undefined
  if (placeOf(flags) === 'store') {
    if (!flags.anchor?.length) throw new MeshError('cli.usage', 'give --anchor, the owner who vouches for you')
    return inStore(flags, (approvals) => approvals.answer(answer))
  }
  const outcome = await callOnce(context, approvalContract.answer, { answer }, await callerOf(flags))
  return outcome.kind === 'ok' ? { kind: 'allow' } : refusalOf(outcome)
}

function placeOf({ agent, data }: ApprovalFlags): 'agent' | 'store' {
  if ((agent === undefined) === (data === undefined))
    throw new MeshError('cli.usage', 'give --agent, a running agent, or --data, the store of a stopped node')
  return agent === undefined ? 'store' : 'agent'
}

async function inStore<Result>(
  { data = '', mesh = 'main', anchor = [] }: ApprovalFlags,
  use: (approvals: NodePolicy['approvals']) => Promise<Result>,
): Promise<Result> {
  const anchors = await Promise.all(anchor.map(readAnchorFile))
  const [clock, random] = [createSystemClock(), createSystemRandom()]
  return withStore(data, async (store) => use(await openApprovals({ store, mesh, anchors, clock, random })))
}

async function callerOf(flags: ApprovalFlags): Promise<Parameters<typeof callOnce>[3]> {
  const { agent: to, credential, key, anchor, nats, mesh } = flags
  if (to === undefined || credential === undefined || key === undefined)
    throw new MeshError('cli.usage', 'give --credential and --key: a running agent is asked as yourself')
  const as = flags.as ?? readAgent(parseIssued(credential, await readText(credential)).credential)
  return {
    as,
    to,
    credential,
    key,
    ...(anchor ? { anchor } : {}),
    ...(nats === undefined ? {} : { nats }),
    ...(mesh === undefined ? {} : { mesh }),
  }
}

/** Says why an agent did not do it. What it declined with is the code of its desk. */
function refusalOf(outcome: Exclude<Outcome, { readonly kind: 'ok' }>): Refusal {
  if (outcome.kind !== 'declined') {
    const reason = outcome.kind === 'refused' ? outcome.reason : outcome.hop.explain()
    return refuse(outcome.code, `the agent was asked, and the call ended ${outcome.kind}: ${reason}`)
  }
  const { code, reason } = outcome.error.details as { readonly code: string; readonly reason: string }
  return describeCode(code)
    ? refuse(code as Refusal['code'], reason)
    : refuse('policy.approval-invalid', `${code}: ${reason}`)
}
