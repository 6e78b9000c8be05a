import type { AgentName } from '@parley/protocol'
import type { SafeguardName } from '../sim/safeguards.ts'
import type { ChaosPlan, Strike } from './chaos-plan.ts'

/** What a process of a run is started with. */
export interface ProcessSetup {
  readonly kind: 'desk' | 'participant'
  /** Of a participant its agent's, of an orchestrator its own. */
  readonly name: string
  readonly life: number
  readonly plan: ChaosPlan
  readonly folder: string
  readonly urls: readonly string[]
  readonly strike?: Strike
  /** What is cut out of everything that it loads. */
  readonly safeguard?: SafeguardName
}

/** The name under which all orchestrators of a run act. */
export const deskName: AgentName = 'acme/desk'
/** The name that has no business with their sagas. */
export const rivalName: AgentName = 'acme/rival'
/** The store on JetStream. */
export const storeName = 'chaos'

/** Names the folder of the issuer in that of a run. */
export function issuerFolder(folder: string): string {
  return `${folder}/issuer`
}

/** Names the database of a participant, or of one orchestrator. */
export function databaseFile(folder: string, name: string): string {
  return `${folder}/${name.replace('/', '-')}.sqlite`
}
