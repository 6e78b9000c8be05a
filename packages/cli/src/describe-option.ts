import type { Option } from 'commander'
import { isRepeatable } from './repeatable.ts'

/** Says in a help what an option is for and all that commander knows of it, in one form for all commands. */
export function describeOption(option: Option): string {
  const { description, argChoices, mandatory } = option
  return [
    description,
    ...(argChoices ? [`one of ${argChoices.join(', ')}`] : []),
    ...(isRepeatable(option) ? ['may be repeated'] : []),
    ...(mandatory ? ['required'] : []),
    ...describeDefault(option),
  ].join('; ')
}

/** A flag that is off unless given says nothing. */
function describeDefault(option: Option): readonly string[] {
  const { required } = option
  const unsaid: unknown = option.defaultValueDescription ?? option.defaultValue
  return required && (typeof unsaid === 'string' || typeof unsaid === 'number') ? [`default ${String(unsaid)}`] : []
}
