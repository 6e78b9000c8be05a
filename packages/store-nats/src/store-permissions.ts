import type { SubjectPermissions } from '@parley/protocol'
import { layOutStore } from './stream-layout.ts'

/** What answers to a store come back under where nobody says otherwise: nobody else may publish there. */
export function storeInboxPrefix(name: string): string {
  return `_INBOX.store-${name}`
}

/** Whose permissions are listed. */
export interface StorePlace {
  /** The name of the store. */
  readonly name: string
  /** The `inboxPrefix` of its connections: two stores of one account must not share it. */
  readonly inboxPrefix: string
  readonly domain?: string
}

/**
 * Lists what a node needs to use a store whose streams an operator made (`provision: 'verify'`), and nothing else: it can
 * neither make, change, empty nor delete a stream, nor read one past its leader.
 */
export function listStorePermissions({ name, inboxPrefix, domain }: StorePlace): SubjectPermissions {
  const api = domain === undefined ? '$JS.API' : `$JS.${domain}.API`
  const parts = Object.values(layOutStore(name))
  return {
    publish: parts.flatMap(({ stream, root }) => [
      `${root}.>`,
      `${api}.STREAM.INFO.${stream}`,
      `${api}.STREAM.MSG.GET.${stream}`,
    ]),
    subscribe: [`${inboxPrefix}.>`],
  }
}

/** A login for one store. */
export interface StoreUser extends StorePlace {
  /** The public user key. */
  readonly nkey: string
}

/**
 * Writes the part of a nats-server configuration that gives stores an account of their own: JetStream sends its answers
 * wherever a request says, so whoever may ask it must not share subjects with a mesh. `operator` is the public user key of
 * whoever makes the streams.
 */
export function formatStoreAccount(account: string, users: readonly StoreUser[], operator: string): string {
  const list = (subjects: readonly string[]): string => `[${subjects.map((each) => JSON.stringify(each)).join(', ')}]`
  return [
    'accounts {',
    `  ${account} {`,
    '    jetstream: enabled',
    '    users: [',
    `      { nkey: ${operator} }`,
    ...users.flatMap((user) => {
      const { publish, subscribe } = listStorePermissions(user)
      return [
        `      { nkey: ${user.nkey}, permissions: { # ${user.name}`,
        `        publish: { allow: ${list(publish)} }`,
        `        subscribe: { allow: ${list(subscribe)} }`,
        '      } }',
      ]
    }),
    '    ]',
    '  }',
    '}',
    '',
  ].join('\n')
}
