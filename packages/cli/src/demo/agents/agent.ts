import type { AppendedRecord } from '@parley/mesh'
import type { Issuer } from '@parley/ports'
import { z } from 'zod'
import type { Commands } from '../channel.ts'

/** The parts that a process can be opened for. */
export const roles = ['concierge', 'flights', 'hotels', 'payments', 'attacker'] as const

/** One of the parts. */
export type Role = (typeof roles)[number]

const scope = z.union([z.literal('all'), z.array(z.string())])
const did = z.templateLiteral(['did:', z.string(), ':', z.string()])

/** Everything that a process is handed: it sees no key but the one that it makes, and no folder but its own. */
export const agentSetup = z.object({
  role: z.enum(roles),
  name: z.string(),
  natsUrl: z.string(),
  /** How the attacker logs in: as whoever runs the broker. The others have what their owner gives them. */
  login: z.object({ nkey: z.string(), jwt: z.string() }).optional(),
  /** Where its files are: `store.sqlite` of the node and `books.sqlite` of its own business. */
  folder: z.string(),
  anchors: z.array(z.object({ owner: did, alias: z.string(), issues: z.array(z.string()), roots: scope })),
  /** The chain that it acts under, root first. */
  delegation: z.array(z.string()),
})

/** A parsed setup. */
export type AgentSetup = z.infer<typeof agentSetup>

/** What a process reaches outside of itself, besides the bus. */
export interface AgentLink {
  /** Asks the owner for a credential. */
  readonly issuer: Issuer
  /** Tells the demo of an audit record as it is appended. */
  readonly onRecord: (record: AppendedRecord) => void
}

/** What runs in a process. */
export interface Agent {
  /** What it can be told by the demo. */
  readonly commands: Commands
  close(): Promise<void>
}

/** Opens a part in this process and resolves once it is on the mesh. */
export type OpenAgent = (setup: AgentSetup, link: AgentLink) => Promise<Agent>
