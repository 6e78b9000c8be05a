/** A decentralised identifier (W3C DID Core). */
export type Did = `did:${string}:${string}`

/** The DID of an instance: a did:key of an Ed25519 key. */
export type InstanceDid = `did:key:z${string}`

/** An agent's name under its owner's alias, for instance `acme/flights`. */
export type AgentName = `${string}/${string}`

/** What trust, policy, breakers and inbox key on: the owner's DID and the agent's name. */
export interface AgentId {
  readonly owner: Did
  readonly name: AgentName
}

/** Formats an agent id as one string key: the owner DID, a space, the name. Neither part can hold a space. */
export function formatAgentId(agent: AgentId): string {
  let text = formatted.get(agent)
  if (text === undefined) {
    text = `${agent.owner} ${agent.name}`
    formatted.set(agent, text)
  }
  return text
}

/** Credentials and links are asked for their key at every hop. */
const formatted = new WeakMap<AgentId, string>()

const namePattern = /^[a-z0-9][a-z0-9-]{0,62}\/[a-z0-9][a-z0-9._-]{0,62}$/

/** Tells whether `text` is an agent name: `alias/agent`, each 1 to 63 of a-z, 0-9, `-` (the agent also `.` and `_`). */
export function isAgentName(text: string): text is AgentName {
  return namePattern.test(text)
}
