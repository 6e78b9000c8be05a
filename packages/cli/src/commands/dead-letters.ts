import type { Command } from 'commander'
import { deadLetterContract, type ContractCapability, type DeadLetterView } from '@parley/mesh'
import type { AgentName } from '@parley/protocol'
import { askAgent, tellUndone } from '../ask-agent.ts'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { addPersonOptions, type PersonFlags } from '../person-options.ts'
import { printable } from '../printable.ts'

interface DeadLetterFlags extends PersonFlags {
  readonly agent: AgentName
  readonly json?: boolean
}

/** A page is enough to read; a node keeps ten at most. */
const maxPages = 16

/** Adds `parley dead-letters list`, `show`, `replay` and `drop`. */
export function addDeadLetterCommands(program: Command, context: CliContext): void {
  const letters = program
    .command('dead-letters')
    .description('commands of sagas that a running agent could not serve: what they were, and another try')
  addFlags(letters.command('list').description('list them, the oldest first')).action(
    async (flags: DeadLetterFlags) => {
      const found: DeadLetterView[] = []
      for (let page = 0, after: string | undefined; page < maxPages; page++) {
        const input = after === undefined ? {} : { after }
        const output = await ask(context, flags, deadLetterContract.list, input)
        if (!output) return
        const { letters: some, next } = output as {
          readonly letters: readonly DeadLetterView[]
          readonly next?: string
        }
        found.push(...some)
        if (next === undefined) break
        after = next
      }
      const lines = found.length === 0 ? [`no dead letters at ${flags.agent}`] : found.flatMap(formatLetter)
      context.print(flags.json === true, lines, { letters: found })
    },
  )
  addFlags(ofLetter(letters, 'show', 'show one with the arguments of its command')).action(
    async (id: string, flags: DeadLetterFlags) => {
      const output = await ask(context, flags, deadLetterContract.show, { id })
      if (!output) return
      const { letter } = output as { readonly letter: DeadLetterView & { readonly input?: unknown } }
      const input = 'input' in letter ? JSON.stringify(letter.input) : 'not readable here: encrypted, or too large'
      context.print(flags.json === true, [...formatLetter(letter), printable(`  input    ${input}`)], { letter })
    },
  )
  addFlags(ofLetter(letters, 'replay', 'run it again, under every check that a fresh command meets now')).action(
    async (id: string, flags: DeadLetterFlags) => {
      const output = await ask(context, flags, deadLetterContract.replay, { id })
      if (!output) return
      const { outcome, code } = output as { readonly outcome: string; readonly code?: string }
      context.print(flags.json === true, [`${id} ended ${outcome}${code === undefined ? '' : `: ${code}`}`], {
        replay: { id, outcome, ...(code === undefined ? {} : { code }) },
      })
      if (outcome !== 'ok' && outcome !== 'declined') context.end(exitCodes.no)
    },
  )
  addFlags(ofLetter(letters, 'drop', 'forget it')).action(async (id: string, flags: DeadLetterFlags) => {
    const output = await ask(context, flags, deadLetterContract.drop, { id })
    if (output) context.print(flags.json === true, [`${id} is dropped`], { dropped: id })
  })
}

function ofLetter(letters: Command, name: string, description: string): Command {
  return letters.command(name).description(description).argument('<letter>', 'the id of the letter')
}

function addFlags(command: Command): Command {
  const agent = 'the running agent that keeps them; it serves dead-letters'
  return addPersonOptions(command, agent, ['agent', 'credential', 'key', 'anchor']).option('--json', 'print it as JSON')
}

/** Asks the agent; undefined where it did not do it, which is told. */
async function ask(
  context: CliContext,
  flags: DeadLetterFlags,
  capability: ContractCapability,
  input: unknown,
): Promise<unknown> {
  const asked = await askAgent(context, capability, input, flags)
  if (asked.kind === 'ok') return asked.output ?? {}
  tellUndone(context, flags.json === true, asked)
  return undefined
}

function formatLetter(letter: DeadLetterView): readonly string[] {
  const { id, capability, code, caller, saga, count, replays, keptAtMs, lastAtMs } = letter
  return [
    `${id}  ${capability}  ${code}`,
    `  from     ${caller.name} (${caller.owner})`,
    `  saga     ${saga.id}, step ${saga.step}, ${saga.phase}, key ${saga.key}, epoch ${saga.epoch}`,
    `  since    ${new Date(keptAtMs).toISOString()}, ${count} times, last ${new Date(lastAtMs).toISOString()}, replayed ${replays} times`,
  ].map(printable)
}
