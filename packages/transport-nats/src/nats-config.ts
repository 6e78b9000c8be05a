import type { SubjectPermissions } from '@parley/protocol'

/** What a server in operator mode is told: who signs accounts, and every account. All of it is public. */
export interface OperatorFacts {
  /** Token of the operator. */
  readonly operator: string
  readonly system: { readonly id: string; readonly token: string }
  readonly account: { readonly id: string; readonly token: string }
}

/** A user of a server without an operator. */
export interface StaticUser {
  /** Who it is; for the reader of the file. */
  readonly name: string
  /** The public user key. */
  readonly nkey: string
  readonly permissions: SubjectPermissions
}

/**
 * Writes the part of a nats-server configuration that fences a mesh by an operator: accounts are preloaded, users come with
 * tokens of their own, so that a new instance needs no reload.
 */
export function formatOperatorConfig({ operator, system, account }: OperatorFacts): string {
  return [
    '# Accounts of the operator below; users log in with tokens that an issuer minted under them.',
    `operator: ${operator}`,
    `system_account: ${system.id}`,
    'resolver: MEMORY',
    'resolver_preload {',
    `  ${system.id}: ${system.token}`,
    `  ${account.id}: ${account.token}`,
    '}',
    '',
  ].join('\n')
}

/** Writes the part of a nats-server configuration that fences a mesh by a list of users: a new one needs a reload. */
export function formatStaticConfig(users: readonly StaticUser[]): string {
  const list = (subjects: readonly string[]): string => `[${subjects.map((each) => JSON.stringify(each)).join(', ')}]`
  return [
    '# Whoever is not listed cannot connect; allow_responses is off on purpose.',
    'authorization {',
    '  users: [',
    ...users.flatMap(({ name, nkey, permissions: { publish, subscribe } }) => [
      `    # ${name.replaceAll(/[^ -~]/g, '?')}`,
      `    { nkey: ${nkey}, permissions: {`,
      `      publish: { allow: ${list(publish)} }`,
      `      subscribe: { allow: ${list(subscribe)} }`,
      '    } }',
    ]),
    '  ]',
    '}',
    '',
  ].join('\n')
}
