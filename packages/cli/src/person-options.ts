import { Option, type Command } from 'commander'
import { addBrokerOptions, type BrokerFlags } from './broker-options.ts'
import { parseName } from './parse-name.ts'
import { collect } from './repeatable.ts'
import type { AgentName } from '@parley/protocol'

/** A person, and the running agent that they ask. */
export interface PersonFlags extends BrokerFlags {
  readonly agent?: AgentName
  readonly as?: AgentName
  readonly credential?: string
  readonly key?: string
  readonly anchor?: readonly string[]
}

/** Options of a person that a command cannot do without. */
export type NeededOption = 'credential' | 'key'

/** Adds what a person asks a running agent with; `agent` says what the agent is to the command. */
export function addPersonOptions(command: Command, agent: string, needed: readonly NeededOption[]): Command {
  const add = (name: NeededOption, description: string): Option =>
    new Option(`--${name} <file>`, description).makeOptionMandatory(needed.includes(name))
  command
    .option('--agent <name>', agent, parseName)
    .addOption(add('credential', 'what `parley credential issue --json` printed for you'))
    .addOption(add('key', 'the key of that credential'))
    .option('--anchor <file>', 'the anchor.json of an owner, yours above all', collect)
    .option('--as <name>', 'your name; default that of the credential', parseName)
  return addBrokerOptions(command)
}
