import type { Command, Option } from 'commander'

/** Adds one more value to an option that may be repeated. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

/** Tells whether an option takes several values. */
export function isRepeatable({ parseArg }: Option): boolean {
  return (parseArg as unknown) === collect
}

/** Lets no option with one value be given two, here and below: the last would win, and nobody would be told. */
export function refuseTwice(command: Command): void {
  for (const option of command.options) {
    if (!option.required || isRepeatable(option)) continue
    let times = 0
    command.on(`option:${option.name()}`, () => {
      times++
      if (times > 1) command.error(`error: option '${option.flags}' is given twice, and takes one value`)
    })
  }
  for (const below of command.commands) refuseTwice(below)
}
