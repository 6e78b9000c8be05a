import type { Command } from 'commander'
import { MeshError } from '@parley/protocol'
import type { CliContext } from './cli-context.ts'

/** Where a mesh is. */
export interface BrokerFlags {
  readonly nats?: string
  readonly mesh?: string
}

/** Adds `--nats` and `--mesh` to a command that takes part in a mesh. */
export function addBrokerOptions(command: Command): Command {
  return command
    .option('--nats <url>', 'the broker; default NATS_URL')
    .option('--mesh <name>', 'the mesh; default main')
}

/** Says which broker is meant. Throws `cli.usage` where neither the command line nor the environment names one. */
export function findBroker({ env }: CliContext, { nats = env.natsUrl }: BrokerFlags): string {
  if (nats === undefined) throw new MeshError('cli.usage', 'there is no broker: give --nats or set NATS_URL')
  return nats
}
