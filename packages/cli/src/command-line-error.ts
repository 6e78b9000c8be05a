import type { Command, CommanderError } from 'commander'

/** Says that commander does not take a command line, and which help tells what it would take. */
export class CommandLineError extends Error {
  readonly todo: string

  constructor(cause: CommanderError, command: Command) {
    super(formatComplaint(cause, command), { cause })
    this.name = 'CommandLineError'
    this.todo = adviseHelp(command)
  }
}

/** Lets a command and all below it throw a `CommandLineError`; help and version, which were asked for, go on as they are. */
export function nameCommandErrors(command: Command): void {
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommandLineError(error, command)
  })
  for (const below of command.commands) nameCommandErrors(below)
}

/** Points to the help of a command, for instance `See parley trust pin --help.` */
export function adviseHelp(command: Command): string {
  return `See ${formatPath(command)} --help.`
}

function formatPath(command: Command): string {
  return command.parent ? `${formatPath(command.parent)} ${command.name()}` : command.name()
}

/** Puts commander's message into one line; for its own help it has none. */
function formatComplaint({ code, message }: CommanderError, command: Command): string {
  if (code === 'commander.help') return `${formatPath(command)} needs a command`
  return message.replace(/^error: /, '').replaceAll('\n', ' ')
}
