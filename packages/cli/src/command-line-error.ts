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

/** Says what to do about a command line, for instance `Correct it; parley trust pin --help shows what it takes.` */
export function adviseHelp(command: Command): string {
  return `Correct it; ${formatPath(command)} --help shows what it takes.`
}

function formatPath(command: Command): string {
  return command.parent ? `${formatPath(command.parent)} ${command.name()}` : command.name()
}

/** Puts commander's message into one line; for its own help it has none. */
function formatComplaint({ code, message }: CommanderError, command: Command): string {
  if (code === 'commander.help') return `${formatPath(command)} needs a command`
  const told = message.replace(/^error: /, '').replaceAll('\n', ' ')
  const takesArguments = command.registeredArguments.length > 0
  return code === 'commander.unknownOption' && takesArguments
    ? `${told}; an argument that begins with - goes after all options and --`
    : told
}
