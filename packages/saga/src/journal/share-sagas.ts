import type { Store } from '@parley/ports'

// I1 What belongs to sagas is the name's, and any instance of it may go on with it. All else in a store (audit log, trust
//    ledger, allowances) is one instance's: two that wrote there would each break the other's.

const sharedName = /^saga(?:-[a-z]+)?\//

/**
 * Joins the store of one instance and the store of its name, for instance one on JetStream, so that instances on several
 * machines share sagas and nothing else. Closing it closes both.
 */
export function shareSagas(own: Store, shared: Store): Store {
  const of = (name: string): Store => (sharedName.test(name) ? shared : own)
  /** The stores in which a name with this prefix may be: the instance's own must not wait for the other one. */
  const within = (prefix: string): readonly Store[] => {
    if (sharedName.test(prefix)) return [shared]
    return prefix.startsWith('saga') || 'saga'.startsWith(prefix) ? [own, shared] : [own]
  }
  return {
    kind: `${own.kind}, sagas in ${shared.kind}`,
    journal: {
      append: (stream, expectedLast, entries) => of(stream).journal.append(stream, expectedLast, entries),
      compact: (stream, expectedLast, entries) => of(stream).journal.compact(stream, expectedLast, entries),
      read: (stream, fromPosition, limit) => of(stream).journal.read(stream, fromPosition, limit),
      last: (stream) => of(stream).journal.last(stream),
      async streams(prefix) {
        const found = within(prefix).map(async (store) =>
          (await store.journal.streams(prefix)).filter((stream) => of(stream) === store),
        )
        return (await Promise.all(found)).flat().sort()
      },
    },
    keyValue: {
      get: (key) => of(key).keyValue.get(key),
      put: (key, value, expectedRevision) => of(key).keyValue.put(key, value, expectedRevision),
      delete: (key) => of(key).keyValue.delete(key),
      async list(prefix) {
        const found = within(prefix).map(async (store) =>
          (await store.keyValue.list(prefix)).filter(({ key }) => of(key) === store),
        )
        return (await Promise.all(found)).flat().sort((left, right) => (left.key < right.key ? -1 : 1))
      },
    },
    async close() {
      await Promise.all([own.close(), shared.close()])
    },
  }
}
