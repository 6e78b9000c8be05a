import { allowed, refuse, type Verdict } from '@parley/protocol'
import type { DirectoryEntry } from '../../directory.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** How long a call waits for an instance to appear that it could ask, in milliseconds. */
const patienceMs = 1_000

/**
 * Chooses the instance to ask: of the name that `to` gives, else of the caller's own owner. Within a name, one with an
 * open session comes first, then chance decides.
 */
export const address: Stage<OutboundHop> = {
  name: 'address',
  run(hop) {
    const { parts, contract, options } = hop
    const { capability } = contract
    const agent = options.to === undefined ? undefined : parts.resolve(options.to)
    if (options.to !== undefined && !agent)
      return refuse('identity.owner-unknown', `no anchor of this node has the alias of ${options.to}`)
    const find = (): DirectoryEntry | undefined => {
      const entries = agent
        ? parts.directory.instancesOf(agent).filter(({ serves }) => serves.has(capability))
        : parts.directory
            .servers(capability)
            .filter(({ credential }) => credential.owner === parts.ownCredential().owner)
      // Those that are suspected come last: if the first one is, all are.
      const [best] = entries
      if (best && best.suspected !== true && parts.sessions.opened(best.credential.instance)) return best
      const sound = entries.filter(({ suspected }) => suspected !== true)
      const choice = sound.length > 0 ? sound : entries
      const open = choice.find(({ credential }) => parts.sessions.opened(credential.instance))
      return open ?? choice[Math.floor(parts.random.float() * choice.length)]
    }
    const found = find()
    if (found) {
      hop.peer = found
      return allowed
    }
    return waitForProvider(hop, find)
  },
}

async function waitForProvider(hop: OutboundHop, find: () => DirectoryEntry | undefined): Promise<Verdict> {
  const { parts, contract, options } = hop
  const untilMs = Math.min(left(hop.deadlineAtMs, 'the deadline'), hop.startedAtMs + patienceMs)
  let found: DirectoryEntry | undefined
  parts.askWho()
  for (let leftMs = patienceMs; !found && leftMs > 0; found = find()) {
    leftMs = untilMs - parts.clock.monotonic()
    if (leftMs > 0) await parts.directory.changed(leftMs)
  }
  if (!found) {
    const who = options.to ?? `an agent of ${parts.ownCredential().owner}`
    return refuse('mesh.no-provider', `no live instance of ${who} serves ${contract.capability}`, {
      retryAfterMs: patienceMs,
    })
  }
  hop.peer = found
  return allowed
}
