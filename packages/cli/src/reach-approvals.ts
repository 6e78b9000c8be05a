import { approvalContract, describeRequest, openApprovals, type ApprovalView, type NodePolicy } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { allowed, MeshError, type AgentName, type Verdict } from '@parley/protocol'
import { askAgent, type Undone } from './ask-agent.ts'
import type { CliContext } from './cli-context.ts'
import { findPlace, notOnePlace } from './find-place.ts'
import type { PersonFlags } from './person-options.ts'
import { readAnchors } from './read-anchor.ts'
import { withStore } from './with-store.ts'

/** Where approvals are: at a running agent, or in the store of a stopped node. */
export interface ApprovalFlags extends PersonFlags {
  readonly data?: string
}

/** A page is enough to read; whoever has more asks for what is open only. */
const maxPages = 64

/** Lists requests. Resolves with what the agent answered where it gave none; rejects as `askAgent` and `withStore` do. */
export async function listApprovals(
  context: CliContext,
  flags: ApprovalFlags,
  status: 'open' | undefined,
): Promise<readonly ApprovalView[] | Undone> {
  const place = findPlace(flags)
  if (place === undefined) throw notOnePlace()
  return 'data' in place ? listKept(place.data, flags, status) : listAsked(context, { ...flags, ...place }, status)
}

/** Brings a signed answer to where the request is; undefined where no place was named. */
export async function bringAnswer(
  context: CliContext,
  flags: ApprovalFlags,
  answer: string,
): Promise<Verdict | Undone | undefined> {
  const place = findPlace(flags)
  if (place === undefined) return undefined
  if ('agent' in place) {
    const asked = await askAgent(context, approvalContract.answer, { answer }, { ...flags, ...place })
    return asked.kind === 'ok' ? allowed : asked
  }
  if (!flags.anchor?.length) throw new MeshError('cli.usage', 'give --anchor, the owner who vouches for you')
  return inStore(place.data, flags, (approvals) => approvals.answer(answer))
}

async function listAsked(
  context: CliContext,
  flags: PersonFlags & { readonly agent: AgentName },
  status: 'open' | undefined,
): Promise<readonly ApprovalView[] | Undone> {
  const found: ApprovalView[] = []
  let after: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const input = { ...(status === undefined ? {} : { status }), ...(after === undefined ? {} : { after }) }
    const asked = await askAgent(context, approvalContract.list, input, flags)
    if (asked.kind !== 'ok') return asked
    const { requests, next } = asked.output as { readonly requests: readonly ApprovalView[]; readonly next?: string }
    found.push(...requests)
    if (next === undefined) break
    after = next
  }
  return found
}

async function listKept(
  data: string,
  flags: ApprovalFlags,
  status: 'open' | undefined,
): Promise<readonly ApprovalView[]> {
  return inStore(data, flags, async (approvals) => {
    const nowMs = createSystemClock().now()
    const all = (await approvals.list()).map((request) => describeRequest(request, nowMs))
    return all.filter((view) => status === undefined || view.status === status)
  })
}

async function inStore<Result>(
  data: string,
  { mesh = 'main', anchor = [] }: ApprovalFlags,
  use: (approvals: NodePolicy['approvals']) => Promise<Result>,
): Promise<Result> {
  const anchors = await readAnchors(anchor)
  const [clock, random] = [createSystemClock(), createSystemRandom()]
  return withStore(data, async (store) => use(await openApprovals({ store, mesh, anchors, clock, random })))
}
