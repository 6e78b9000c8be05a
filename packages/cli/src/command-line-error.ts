import type { Command, CommanderError } from 'commander'

/** Says that commander does not take a command line, and which help tells what it would take. */
export class CommandLineError extends Error {
  readonly todo: string

  /** `command` is the path of the command that complained, for instance `parley trust pin`. */
  constructor(cause: CommanderError, command: string) {
    super(formatComplaint(cause, command), { cause })
    this.name = 'CommandLineError'
    this.todo = `See ${command} --help.`
  }
}

/** Lets a command and all below it throw a `CommandLineError`; help and version, which were asked for, go on as they are. */
export function nameCommandErrors(command: Command, path: string = command.name()): void {
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommandLineError(error, path)
  })
  for (const below of command.commands) nameCommandErrors(below, `${path} ${below.name()}`)
}

/** Puts commander's message into one line; for its own help it has none. */
function formatComplaint({ code, message }: CommanderError, command: string): string {
  if (code === 'commander.help') return `${command} needs a command`
  return message.replace(/^error: /, '').replaceAll('\n', ' ')
}
