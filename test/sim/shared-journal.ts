import type { Journal, Store } from '@parley/ports'

/** Makes a store whose sagas are those of `shared`, which all instances of a name have, and whose rest is the instance's own. */
export function withSharedSagas(own: Store, shared: Store): Store {
  const of = (stream: string): Journal => (stream.startsWith('saga/') ? shared : own).journal
  return {
    ...own,
    journal: {
      append: (stream, expectedLast, entries) => of(stream).append(stream, expectedLast, entries),
      read: (stream, from, limit) => of(stream).read(stream, from, limit),
      last: (stream) => of(stream).last(stream),
      streams: (prefix) => of(prefix).streams(prefix),
    },
  }
}
