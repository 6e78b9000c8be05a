import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { initFileIssuer, openFileIssuer, type OwnerIssuer } from '@parley/identity'
import type { AppendedRecord } from '@parley/mesh'
import { createSystemClock, createSystemRandom, type CredentialRequest } from '@parley/ports'
import type { Role } from './agents/agent.ts'
import type { DemoFence } from './demo-fence.ts'
import { startAgentProcess, type AgentProcess } from './agent-process.ts'

/** A credential that an owner gave in this demo. */
export interface Issued {
  readonly name: string
  readonly instance: string
  readonly calls: readonly string[]
}

/** The processes of the demo, and what their owners know. */
export interface Cast {
  /** The orchestrator that runs now. */
  readonly concierge: AgentProcess
  readonly flights: AgentProcess
  readonly hotels: AgentProcess
  readonly payments: AgentProcess
  readonly budgetHotels: AgentProcess
  readonly attacker: AgentProcess
  /** The five that have a credential, and so a log. */
  agents(): readonly AgentProcess[]
  /** The audit records that an agent told of, also those of an instance that was killed. */
  told(name: string): readonly AppendedRecord[]
  /** Every credential that was given, in order. */
  readonly issued: readonly Issued[]
  /** The owner's DID of an agent. */
  ownerOf(name: string): string
  /** Starts another instance of the orchestrator on the same files. */
  restartConcierge(): Promise<void>
  /** Closes all agents in order. */
  stop(): Promise<void>
}

/** What a cast is started with. */
export interface CastOptions {
  readonly folder: string
  /** The broker, with the fence that `fence` opens. */
  readonly natsUrl: string
  readonly fence: DemoFence
  readonly onRecord: (agent: string, record: AppendedRecord) => void
  /** Takes what ends all processes, before the first one is started. */
  readonly atEnd: (end: () => Promise<void>) => void
}

/** What the owner lets the concierge do for it: less than its credential grants. */
const delegated = ['flights:reserve', 'hotels:reserve', 'payments:charge', 'payments:balance']
const delegatedForMs = 3_600_000

/** Makes the owners, starts all processes, and resolves once every agent is on the mesh. */
export async function startCast({ folder, natsUrl, fence, onRecord, atEnd }: CastOptions): Promise<Cast> {
  const acme = await createOwner(join(folder, 'owner-acme'), 'acme', fence)
  const budget = await createOwner(join(folder, 'owner-budget'), 'budget', fence)
  const chain = await acme.delegate({ to: 'acme/concierge', capabilities: delegated, forMs: delegatedForMs })
  const issued: Issued[] = []
  const told = new Map<string, AppendedRecord[]>()
  const running = new Set<AgentProcess>()
  let isEnded = false
  atEnd(async () => {
    isEnded = true
    await Promise.all([...running].map((agent) => agent.kill()))
  })

  const start = async (role: Role, name: string): Promise<AgentProcess> => {
    const own = join(folder, name.replace('/', '-'))
    await mkdir(own, { recursive: true })
    if (isEnded) throw new Error('the demo ends: no process is started any more')
    const owner = name.startsWith('budget/') ? budget : acme
    const issue = async (argument: unknown): Promise<unknown> => {
      const request = argument as CredentialRequest
      // The pipe says who asks, so nobody gets another's name.
      if (role === 'attacker' || request.name !== name) throw new Error(`${name} asked for ${request.name}`)
      const credential = await owner.issue(request)
      issued.push({ name, instance: request.instance, calls: request.calls })
      return credential
    }
    const agent = startAgentProcess({
      role,
      name,
      folder: own,
      commands: { issue },
      onRecord(record) {
        told.set(name, [...(told.get(name) ?? []), record])
        onRecord(name, record)
      },
    })
    running.add(agent)
    await agent.open({
      role,
      name,
      natsUrl,
      ...(role === 'attacker' ? { login: await fence.logInAsOperator() } : {}),
      folder: own,
      anchors: [acme.anchor, budget.anchor],
      delegation: role === 'concierge' ? chain : [],
    })
    return agent
  }

  const [flights, hotels, payments, budgetHotels, attacker, first] = await Promise.all([
    start('flights', 'acme/flights'),
    start('hotels', 'acme/hotels'),
    start('payments', 'acme/payments'),
    start('hotels', 'budget/hotels'),
    start('attacker', 'attacker'),
    start('concierge', 'acme/concierge'),
  ])
  let concierge = first
  return {
    get concierge() {
      return concierge
    },
    flights,
    hotels,
    payments,
    budgetHotels,
    attacker,
    issued,
    told: (name) => told.get(name) ?? [],
    agents: () => [concierge, flights, hotels, payments, budgetHotels],
    ownerOf: (name) => (name.startsWith('budget/') ? budget.owner : acme.owner),
    async restartConcierge() {
      concierge = await start('concierge', 'acme/concierge')
    },
    async stop() {
      await Promise.all([concierge, flights, hotels, payments, budgetHotels, attacker].map((agent) => agent.stop()))
    },
  }
}

async function createOwner(dir: string, alias: string, { account }: DemoFence): Promise<OwnerIssuer> {
  const clock = createSystemClock()
  const random = createSystemRandom()
  await initFileIssuer({ dir, alias, clock, random })
  return openFileIssuer({ dir, clock, random, natsAccount: account })
}
