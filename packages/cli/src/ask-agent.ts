import type { ContractCapability, Outcome } from '@parley/mesh'
import { isAgentName, MeshError, type AgentName } from '@parley/protocol'
import { callOnce } from './call-once.ts'
import type { CliContext } from './cli-context.ts'
import { describeCode } from './describe-code.ts'
import { exitCodeOfOutcome } from './exit-code.ts'
import type { PersonFlags } from './person-options.ts'
import { parseIssued } from './parse-issued.ts'
import { printable } from './printable.ts'
import { readText } from './read-file.ts'
import { readAgent } from './read-instance.ts'

/** What an agent did not do, and why. */
export interface Undone {
  readonly kind: Exclude<Outcome['kind'], 'ok'>
  readonly code: string
  readonly reason: string
  /** The hop, where one was made: `parley why` asks for it. */
  readonly hop?: string
}

/** What an agent that was asked did. */
export type Asked = { readonly kind: 'ok'; readonly output: unknown } | Undone

/**
 * Asks a running agent, as the person of a credential. Rejects with `cli.usage`, which names every flag that is missing, and as
 * `callOnce` does.
 */
export async function askAgent(
  context: CliContext,
  capability: ContractCapability,
  input: unknown,
  { agent: to, as: given, credential, key, anchor = [], nats, mesh }: PersonFlags & { readonly agent: AgentName },
): Promise<Asked> {
  if (credential === undefined || key === undefined || anchor.length === 0) {
    const given = { '--credential': credential, '--key': key, '--anchor': anchor[0] }
    const missing = Object.entries(given).filter(([, value]) => value === undefined)
    const flags = missing.map(([flag]) => flag).join(', ')
    throw new MeshError('cli.usage', `give ${flags} as well: a running agent is asked as yourself, by your credential`)
  }
  const as = given ?? readAgent(parseIssued(credential, await readText(credential)).credential)
  if (!isAgentName(as)) throw new MeshError('cli.usage', `${credential} is of no agent: have it issued again`)
  const outcome = await callOnce(context, capability, input, {
    as,
    to,
    credential,
    key,
    anchor,
    ...(nats === undefined ? {} : { nats }),
    ...(mesh === undefined ? {} : { mesh }),
  })
  return outcome.kind === 'ok' ? { kind: 'ok', output: outcome.output } : describeUndone(outcome)
}

/** Tells that an agent did not do it. `more` is what stays true all the same; the exit code is that of the outcome. */
export function tellUndone(context: CliContext, json: boolean, undone: Undone, more: object = {}): void {
  const { kind, code, reason, hop } = undone
  const todo = describeCode(code)?.todo
  const lines = [
    printable(`${kind} ${code}: ${reason}`),
    ...(todo === undefined ? [] : [`what to do: ${todo}`]),
    ...(hop === undefined ? [] : [`hop ${hop}`]),
  ]
  const told = { code, reason, ...(todo === undefined ? {} : { todo }), ...(hop === undefined ? {} : { hop }) }
  context.print(json, lines, { ...more, [kind]: told })
  context.end(exitCodeOfOutcome(kind))
}

function describeUndone(outcome: Exclude<Outcome, { readonly kind: 'ok' }>): Undone {
  const { kind } = outcome
  const hop = outcome.hop.id
  if (kind === 'refused') return { kind, code: outcome.code, reason: outcome.reason, hop }
  if (kind !== 'declined') return { kind, code: outcome.code, reason: outcome.hop.explain(), hop }
  const { name, details } = outcome.error
  // What a desk refuses it tells with a code of the mesh.
  const { code, reason } = details as { readonly code?: string; readonly reason?: string }
  if (code !== undefined && reason !== undefined) return { kind: 'refused', code, reason }
  return { kind, code: name, reason: 'the agent keeps nothing by that id' }
}
