import { createKeySigner, createLocalIssuer, generateSeed, signDeclaration, type LocalIssuer } from '@parley/identity'
import {
  approvalContract,
  approvalPurpose,
  serveApprovals,
  type AskedApproval,
  type CallOptions,
  type MeshNode,
  type Outcome,
} from '@parley/mesh'
import type { PolicySource } from '@parley/policy'
import type { AgentName } from '@parley/protocol'
import type { TestMesh, TestNodeOptions } from '@parley/testkit'
import { shop, soundServes } from './shop.ts'

/** Makes a document that allows, but for its rules. */
export function documentWith(rules: string, name = 'house'): PolicySource {
  return { file: `${name}.yaml`, text: `apiVersion: parley/v1\nname: ${name}\ndefault: allow\nrules:\n${rules}\n` }
}

/** Asks people before anything is bought. */
export function asksFor(requires: number, within = '1h'): PolicySource {
  const condition = "direction == 'inbound' && action == 'shop:buy' && phase == 'do'"
  const asked = `effect: require_approval, approvers: [staff/ann, staff/bob], requires: ${String(requires)}, within: ${within}`
  return documentWith(`  - { name: people-say, when: "${condition}", ${asked} }`)
}

/** The request that an outcome names. */
export function requestOf(outcome: Outcome): AskedApproval {
  const asked = outcome.kind === 'refused' ? outcome.approval : undefined
  if (!asked) throw new Error(`no request in ${JSON.stringify(outcome)}`)
  return asked
}

/** Calls `shop:buy` of an agent for an item. */
export type Buy = (item: string, options?: CallOptions) => Promise<Outcome>

/** Makes what buys for a node. */
export function buyer(desk: MeshNode, to: AgentName = 'acme/shop'): Buy {
  return (item, options = {}) => desk.tryCall(shop.buy, { item }, { to, ...options })
}

/** A shop that asks people of another owner before it sells, and those people. */
export interface CautiousShop {
  readonly staff: LocalIssuer
  readonly bought: unknown[]
  /** Opens the shop, or another one, which serves its approvals too. */
  openCounter(options?: TestNodeOptions & { readonly name?: string }): Promise<MeshNode>
  /** Opens the node of a person, which may call the shop and its approvals. */
  openPerson(name: string): Promise<MeshNode>
  /** Signs the word of somebody of the staff. */
  say(name: string, word: string, asked: AskedApproval, more?: object, forMs?: number): Promise<string>
}

/** Opens it: `staff/ann` and `staff/bob` may answer, `staff/eve` has no say, and `staff/bot` is no person. */
export function openCautious(mesh: TestMesh): CautiousShop {
  const { clock, random, issuer } = mesh
  const bot = { serves: [], calls: ['shop:*', 'approvals:*'] } as const
  const human = { ...bot, human: 2 } as const
  const allow = { 'staff/ann': human, 'staff/bob': human, 'staff/eve': human, 'staff/bot': bot }
  const staff = createLocalIssuer({ alias: 'staff', clock, random, allow })
  const anchors = [issuer.anchor, staff.anchor]
  const bought: unknown[] = []
  return {
    staff,
    bought,
    openCounter: ({ name = 'acme/shop', ...options } = {}) =>
      mesh.node(name, {
        anchors,
        policy: [asksFor(2)],
        serves: [shop, approvalContract],
        serve: (node) => {
          node.serve(shop, { ...soundServes, buy: (input) => (bought.push(input), { receipt: 'r' }) })
          node.serve(approvalContract, serveApprovals(node))
        },
        ...options,
      }),
    openPerson: (name) =>
      mesh.node(name, { issuer: staff, anchors, calls: [shop.buy, ...approvalContract.capabilities] }),
    async say(name, word, { id, digest }, more = {}, forMs = 600_000) {
      const signer = createKeySigner(generateSeed(random))
      const issued = await staff.issue({ name, instance: signer.did, serves: [], calls: [] })
      const content = { request: id, digest, word, ...more }
      const issuedAtMs = clock.now()
      const draft = { id: `${word}-${id}`, purpose: approvalPurpose, content, issuedAtMs }
      return signDeclaration({ signer, ...issued }, { ...draft, expiresAtMs: issuedAtMs + forMs })
    },
  }
}
