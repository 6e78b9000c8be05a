import type { HopChanges } from '../../packages/policy/src/policy-input.fixture.ts'

/** One hop that is decided in every language. */
export interface LanguageCase {
  /** The policy: the name of its files in `languages/`. */
  readonly policy: string
  readonly hop: HopChanges
  readonly body: Readonly<Record<string, unknown>>
}

const desk = { caller: { name: 'acme/desk' } } as const
const research = { caller: { name: 'acme/research' } } as const
const stranger = { caller: { name: 'sky/desk' } } as const

function casesOf(
  policy: string,
  lines: readonly (readonly [hop: HopChanges, body: Readonly<Record<string, unknown>>])[],
): readonly LanguageCase[] {
  return lines.map(([hop, body]) => ({ policy, hop, body }))
}

/** Hops under the three policies that stand in CEL, in Cedar and in Rego. */
export const languageCases: readonly LanguageCase[] = [
  ...casesOf('region-pinning', [
    [{ action: 'data:store' }, { region: 'eu-central-1', size: 7 }],
    [{ action: 'data:store' }, { region: 'eu-west-1' }],
    [{ action: 'data:store' }, { region: 'us-east-1' }],
    [{ action: 'data:store' }, { region: 'EU-WEST-1' }],
    [{ action: 'data:store' }, { region: ['eu-west-1'] }],
    [{ action: 'data:store' }, { region: null }],
    [{ action: 'data:store' }, {}],
    [{ action: 'data:read' }, { region: 'us-east-1' }],
    [{ action: 'data:erase' }, { region: 'eu-west-1' }],
    [{ action: 'data:store:archive' }, { region: 'eu-west-1' }],
  ]),
  ...casesOf('capability-scoping', [
    [{ ...desk, action: 'flights:reserve' }, {}],
    [{ ...desk, action: 'flights:reserve:sfo' }, {}],
    [{ ...desk, action: 'hotels:book' }, {}],
    [{ ...desk, action: 'web:search' }, {}],
    [{ ...desk, action: 'flights2:reserve' }, {}],
    [{ ...desk, action: 'flights:purge', risk: 'administrative' }, {}],
    [{ ...research, action: 'web:search' }, {}],
    [{ ...research, action: 'flights:reserve' }, {}],
    [{ ...stranger, action: 'flights:reserve' }, {}],
  ]),
  ...casesOf('email-redaction', [
    [{ action: 'support:reply' }, { text: 'write to ann@acme.example, please', ticket: 7 }],
    [{ action: 'support:reply' }, { text: 'a@b.example and c.d+e@f.g.example' }],
    [{ action: 'support:reply' }, { text: 'nobody@localhost' }],
    [{ action: 'support:reply' }, { text: 'no address' }],
    [{ action: 'support:reply' }, {}],
    [{ action: 'support:close' }, { text: 'ann@acme.example' }],
  ]),
]
