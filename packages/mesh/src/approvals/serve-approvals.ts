import type { MeshNode } from '../node/node.ts'
import type { Serves } from '../serving/serve.ts'
import type { ApprovalContract } from './approval-contract.ts'
import { describeRequest, type ApprovalView } from './approval-view.ts'

/** Enough for people at a terminal; an answer has to fit into one envelope. Characters of JSON. */
const maxPage = 262_144

/**
 * Makes what serves `approvalContract` for a node: `node.serve(approvalContract, serveApprovals(node))`, before the
 * node starts. Who may look and who may bring answers is for the node's policy to say; whose answer counts is for the rule
 * that asked.
 */
export function serveApprovals({ approvals, clock }: Pick<MeshNode, 'approvals' | 'clock'>): Serves<ApprovalContract> {
  return {
    async list({ status, after }) {
      const all = (await approvals.list()).map((request) => describeRequest(request, clock.now()))
      const wanted = all.filter((view) => status === undefined || view.status === status)
      const from = after === undefined ? 0 : wanted.findIndex(({ id }) => id === after)
      return takePage(wanted.slice(Math.max(0, from)))
    },
    async answer({ answer }, hop) {
      const verdict = await approvals.answer(answer)
      return verdict.kind === 'allow'
        ? {}
        : hop.decline('refused', { code: verdict.code, reason: verdict.reason.slice(0, 4_096) })
    },
  }
}

function takePage(views: readonly ApprovalView[]): { readonly requests: readonly ApprovalView[]; next?: string } {
  let length = 0
  // At least one, however long it is: the desk bounds each.
  const end = views.findIndex((view, at) => (length += JSON.stringify(view).length) > maxPage && at > 0)
  if (end < 0) return { requests: views }
  const next = views[end]?.id
  return { requests: views.slice(0, end), ...(next === undefined ? {} : { next }) }
}
