import type { Command } from 'commander'
import type { DeadLetterView, Outcome } from '@parley/mesh'
import { tellUndone } from '../ask-agent.ts'
import type { CliContext } from '../cli-context.ts'
import { exitCodeOfOutcome } from '../exit-code.ts'
import { addPersonOptions } from '../person-options.ts'
import { printable } from '../printable.ts'
import { listDeadLetters, reachDeadLetter, type DeadLetterFlags, type LetterAct } from '../reach-dead-letters.ts'

/** Adds `parley dead-letters list`, `show`, `replay` and `drop`. */
export function addDeadLetterCommands(program: Command, context: CliContext): void {
  const letters = program
    .command('dead-letters')
    .description('commands of sagas that an agent could not serve: what they were, and another try')
  addFlags(letters.command('list').description('list them, the oldest first')).action(
    async (flags: DeadLetterFlags) => {
      const { json = false, agent, data = '' } = flags
      const found = await listDeadLetters(context, flags)
      if ('kind' in found) {
        tellUndone(context, json, found)
        return
      }
      const none = `no dead letters ${agent === undefined ? 'in' : 'at'} ${agent ?? data}`
      context.print(json, found.length === 0 ? [none] : found.flatMap(formatLetter), { letters: found })
    },
  )
  const ofLetter = (act: LetterAct, description: string, tell: Tell): void => {
    addFlags(letters.command(act).description(description).argument('<letter>', 'the id of the letter')).action(
      async (id: string, flags: DeadLetterFlags) => {
        const { json = false } = flags
        const asked = await reachDeadLetter(context, flags, act, id)
        if (asked.kind === 'ok') tell(json, id, asked.output)
        else tellUndone(context, json, asked)
      },
    )
  }
  ofLetter('show', 'show one with the arguments of its command', (json, _id, output) => {
    const { letter } = output as { readonly letter: DeadLetterView & { readonly input?: unknown } }
    const input = 'input' in letter ? JSON.stringify(letter.input) : 'not readable here: encrypted, or too large'
    context.print(json, [...formatLetter(letter), printable(`  input    ${input}`)], { letter })
  })
  ofLetter(
    'replay',
    'have its agent run it again, under every check that a fresh command meets',
    (json, id, output) => {
      const { outcome, code } = output as { readonly outcome: Outcome['kind']; readonly code?: string }
      context.print(json, [`${id} ended ${outcome}${code === undefined ? '' : `: ${code}`}`], {
        replay: { id, outcome, ...(code === undefined ? {} : { code }) },
      })
      context.end(exitCodeOfOutcome(outcome))
    },
  )
  ofLetter('drop', 'forget it', (json, id) => {
    context.print(json, [`${id} is dropped`], { dropped: id })
  })
}

type Tell = (json: boolean, id: string, output: unknown) => void

function addFlags(command: Command): Command {
  return addPersonOptions(command, 'the running agent that keeps them; it serves dead-letters', [])
    .option('--data <file>', 'instead of an agent: the store of a stopped node')
    .option('--json', 'print it as JSON')
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
