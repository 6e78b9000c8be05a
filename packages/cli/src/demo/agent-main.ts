import type { IssuedCredential } from '@parley/ports'
import { agentSetup, type Agent, type OpenAgent, type Role } from './agents/agent.ts'
import { openAttacker } from './agents/attacker.ts'
import { openConcierge } from './agents/concierge.ts'
import { openFlights } from './agents/flights.ts'
import { openHotels } from './agents/hotels.ts'
import { openPayments } from './agents/payments.ts'
import { createChannel } from './channel.ts'

// The entry of every process of the demo: opens the part that it is told to, and ends with the process that started it.

const openers: Readonly<Record<Role, OpenAgent>> = {
  concierge: openConcierge,
  flights: openFlights,
  hotels: openHotels,
  payments: openPayments,
  attacker: openAttacker,
}
let agent: Agent | undefined

const channel = createChannel(process, {
  async open(argument) {
    const setup = agentSetup.parse(argument)
    agent = await openers[setup.role](setup, {
      // The owner's keys stay with the demo.
      issuer: { issue: async (request) => (await channel.ask('issue', request)) as IssuedCredential },
      onRecord: (record) => channel.tell(record),
    })
  },
  async run(argument) {
    const { command, input } = argument as { readonly command: string; readonly input?: unknown }
    const run = agent?.commands[command]
    if (!run) throw new TypeError(`there is no command ${command}`)
    return run(input)
  },
  close: () => agent?.close(),
})

// A Ctrl-C reaches the whole group: what then happens is for the demo to say.
process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit(0))
