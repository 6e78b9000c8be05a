import type { Store } from '@parley/ports'
import { readRejectedCode } from './error-code.ts'
import type { TestKit } from './test-kit.ts'

/** An empty store that nobody else uses. */
export interface StoreFixture {
  readonly store: Store
  /** Closes the store and opens it again over the same data; absent for a store that forgets. */
  readonly reopen?: () => Promise<Store>
  dispose(): Promise<void>
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (data: Uint8Array): string => new TextDecoder().decode(data)

/** Sorted by code unit, which differs from the order of code points and of UTF-8 bytes. */
const sortedNames = ['p/', 'p/A', 'p/a', 'p/é', 'p/\u{1f600}', 'p/\uff5e', 'p/\uffff']

/** Defines the suite that every `Store` must pass. `make` is called once for each test. */
export function storeConformance(
  { describe, it, expect }: TestKit,
  name: string,
  make: () => Promise<StoreFixture>,
): void {
  const test = (title: string, run: (fixture: StoreFixture) => Promise<void>): void => {
    it(title, async () => {
      const fixture = await make()
      try {
        await run(fixture)
      } finally {
        await fixture.dispose()
      }
    })
  }
  const readTexts = async (store: Store, stream: string): Promise<readonly string[]> =>
    (await store.journal.read(stream)).map(({ data }) => text(data))

  describe(`${name} as a Journal`, () => {
    test('starts streams empty and numbers entries from 1', async ({ store: { journal } }) => {
      expect(await journal.last('s')).toBe(0)
      expect(await journal.read('s')).toEqual([])
      expect(await journal.append('s', 0, [bytes('a'), bytes('b')])).toBe(2)
      expect(await journal.append('s', 2, [bytes('c')])).toBe(3)
      expect(await journal.last('s')).toBe(3)
      const entries = await journal.read('s')
      expect(entries.map(({ position, data }) => [position, text(data)])).toEqual([
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
      ])
    })
    test('reads from a position, at most so many', async ({ store: { journal } }) => {
      await journal.append('s', 0, ['a', 'b', 'c', 'd', 'e'].map(bytes))
      const positions = async (...range: [from?: number, limit?: number]): Promise<readonly number[]> =>
        (await journal.read('s', ...range)).map(({ position }) => position)
      expect(await positions(3)).toEqual([3, 4, 5])
      expect(await positions(2, 2)).toEqual([2, 3])
      expect(await positions(5, 9)).toEqual([5])
      expect(await positions(6)).toEqual([])
      expect(await positions(1, 0)).toEqual([])
    })
    test('keeps the exact bytes, none and many', async ({ store: { journal } }) => {
      const everyByte = Uint8Array.from({ length: 70_000 }, (_, index) => index & 0xff)
      await journal.append('s', 0, [everyByte, new Uint8Array(0)])
      const entries = await journal.read('s')
      expect(entries.map(({ data }) => data.length)).toEqual([70_000, 0])
      expect(entries[0]?.data.every((byte, index) => byte === (index & 0xff))).toBe(true)
    })
    test('keeps the bytes as they were when append was called', async ({ store }) => {
      // The slice of a Buffer is no copy, which an implementation may forget.
      const buffers = [bytes('before'), Buffer.from('before')]
      const writes = [
        store.journal.append('s', 0, buffers),
        ...buffers.map((data, key) => store.keyValue.put(`k${key}`, data)),
      ]
      for (const data of buffers) data.fill(0)
      await Promise.all(writes)
      expect(await readTexts(store, 's')).toEqual(['before', 'before'])
      for (const entry of await store.keyValue.list('k')) expect(text(entry.value)).toBe('before')
    })
    test('hands over plain Uint8Arrays', async ({ store }) => {
      await store.journal.append('s', 0, [Buffer.from('a')])
      await store.keyValue.put('k', Buffer.from('a'))
      const read = [(await store.journal.read('s'))[0]?.data, (await store.keyValue.get('k'))?.value]
      for (const data of read) expect(Object.getPrototypeOf(data)).toBe(Uint8Array.prototype)
    })
    test('T13: refuses a writer that does not know the last position, and writes nothing', async ({ store }) => {
      await store.journal.append('s', 0, [bytes('a')])
      for (const expectedLast of [0, 2, -1, 0.5])
        expect(await readRejectedCode(store.journal.append('s', expectedLast, [bytes('x'), bytes('y')]))).toBe(
          'store.position-conflict',
        )
      expect(await readTexts(store, 's')).toEqual(['a'])
    })
    test('lets exactly one of many writers win a position', async ({ store }) => {
      const codes = await Promise.all(
        Array.from({ length: 20 }, (_, writer) =>
          readRejectedCode(store.journal.append('s', 0, [bytes(`first of ${writer}`), bytes('second')])),
        ),
      )
      expect(codes.filter((code) => code === undefined).length).toBe(1)
      expect(codes.filter((code) => code === 'store.position-conflict').length).toBe(19)
      const [first, ...rest] = await readTexts(store, 's')
      expect(first).toBe(`first of ${codes.indexOf(undefined)}`)
      expect(rest).toEqual(['second'])
    })
    test('checks the position even if nothing is appended, and makes no stream of nothing', async ({ store }) => {
      expect(await store.journal.append('s', 0, [])).toBe(0)
      expect(await readRejectedCode(store.journal.append('s', 1, []))).toBe('store.position-conflict')
      expect(await store.journal.streams('')).toEqual([])
    })
    test('compacts a stream in one step: what came before is gone, and positions go on', async ({ store, reopen }) => {
      await store.journal.append('s', 0, [bytes('a'), bytes('b')])
      await store.journal.append('s', 2, [bytes('c')])
      await store.journal.append('other', 0, [bytes('x')])
      expect(await store.journal.compact('s', 3, [bytes('sum'), bytes('mary')])).toBe(5)
      expect(await store.journal.append('s', 5, [bytes('d')])).toBe(6)
      const check = async ({ journal }: Store): Promise<void> => {
        const read = async (...range: [from?: number, limit?: number]): Promise<readonly string[]> =>
          (await journal.read('s', ...range)).map(({ position, data }) => `${position} ${text(data)}`)
        expect(await read()).toEqual(['4 sum', '5 mary', '6 d'])
        expect(await read(1, 2)).toEqual(['4 sum', '5 mary'])
        expect(await read(5)).toEqual(['5 mary', '6 d'])
        expect(await read(7)).toEqual([])
        expect(await journal.last('s')).toBe(6)
        expect(await journal.streams('')).toEqual(['other', 's'])
        expect((await journal.read('other')).length).toBe(1)
      }
      await check(store)
      if (reopen) await check(await reopen())
    })
    test('T13: removes nothing for a compaction that does not know the last position', async ({ store }) => {
      await store.journal.append('s', 0, [bytes('a'), bytes('b')])
      for (const expectedLast of [0, 1, 3])
        expect(await readRejectedCode(store.journal.compact('s', expectedLast, [bytes('x')]))).toBe(
          'store.position-conflict',
        )
      expect(await readTexts(store, 's')).toEqual(['a', 'b'])
      const codes = await Promise.all(
        ['one', 'two', 'three'].map((writer) => readRejectedCode(store.journal.compact('s', 2, [bytes(writer)]))),
      )
      expect(codes.filter((code) => code === undefined).length).toBe(1)
      expect((await store.journal.read('s')).map(({ position }) => position)).toEqual([3])
    })
    test('compacts again and again, also a stream that nothing was in', async ({ store: { journal } }) => {
      for (let last = 0; last < 5; last++) expect(await journal.compact('s', last, [bytes(`${last}`)])).toBe(last + 1)
      expect((await journal.read('s')).map(({ position, data }) => [position, text(data)])).toEqual([[5, '4']])
    })
    test('lists the streams of a prefix in code-unit order', async ({ store: { journal } }) => {
      for (const stream of ['o/x', 'q/x', 'P/x', ...sortedNames.toReversed()])
        await journal.append(stream, 0, [bytes('x')])
      expect(await journal.streams('p/')).toEqual(sortedNames)
      expect(await journal.streams('p/nothing')).toEqual([])
    })
    test('takes wildcards of the engine for what they are: characters', async ({ store: { journal } }) => {
      for (const stream of ['a%b', 'a_b', 'axb', "a'b"]) await journal.append(stream, 0, [bytes(stream)])
      expect(await journal.streams('a%')).toEqual(['a%b'])
      expect(await journal.streams('a_')).toEqual(['a_b'])
      expect(await journal.streams("a'")).toEqual(["a'b"])
    })
  })

  describe(`${name} as a KeyValue`, () => {
    test('counts the revisions of a key', async ({ store: { keyValue } }) => {
      expect(await keyValue.get('k')).toBe(undefined)
      expect(await keyValue.put('k', bytes('a'))).toBe(1)
      expect(await keyValue.put('k', bytes('b'))).toBe(2)
      const entry = await keyValue.get('k')
      expect(entry && { ...entry, value: text(entry.value) }).toEqual({ key: 'k', value: 'b', revision: 2 })
    })
    test('refuses a writer that does not know the revision, and writes nothing', async ({ store: { keyValue } }) => {
      expect(await readRejectedCode(keyValue.put('k', bytes('x'), 1))).toBe('store.revision-conflict')
      expect(await keyValue.put('k', bytes('a'), 0)).toBe(1)
      expect(await readRejectedCode(keyValue.put('k', bytes('x'), 0))).toBe('store.revision-conflict')
      expect(await readRejectedCode(keyValue.put('k', bytes('x'), 2))).toBe('store.revision-conflict')
      expect(await keyValue.put('k', bytes('b'), 1)).toBe(2)
      const entry = await keyValue.get('k')
      expect(entry && text(entry.value)).toBe('b')
    })
    test('lets exactly one of many writers win a revision', async ({ store: { keyValue } }) => {
      const codes = await Promise.all(
        Array.from({ length: 20 }, (_, writer) => readRejectedCode(keyValue.put('k', bytes(String(writer)), 0))),
      )
      expect(codes.filter((code) => code === undefined).length).toBe(1)
      const entry = await keyValue.get('k')
      expect(entry && text(entry.value)).toBe(String(codes.indexOf(undefined)))
    })
    test('removes a key, also one that is not there', async ({ store: { keyValue } }) => {
      await keyValue.put('k', bytes('a'))
      await keyValue.delete('k')
      await keyValue.delete('k')
      expect(await keyValue.get('k')).toBe(undefined)
      expect(await keyValue.put('k', bytes('b'), 0)).toBe(1)
    })
    test('lists the entries of a prefix in code-unit order of the key', async ({ store: { keyValue } }) => {
      for (const key of ['o/x', 'q/x', ...sortedNames.toReversed()]) await keyValue.put(key, bytes(key))
      const entries = await keyValue.list('p/')
      expect(entries.map(({ key }) => key)).toEqual(sortedNames)
      expect(entries.map(({ value }) => text(value))).toEqual(sortedNames)
    })
    test('keeps an empty value apart from none', async ({ store: { keyValue } }) => {
      await keyValue.put('k', new Uint8Array(0))
      const entry = await keyValue.get('k')
      expect(entry?.value.length).toBe(0)
    })
  })

  describe(`${name} as a Store`, () => {
    test('keeps everything that was acknowledged over a reopening', async ({ store, reopen }) => {
      if (!reopen) return
      await store.journal.append('s', 0, [bytes('a'), bytes('b')])
      await store.keyValue.put('k', bytes('v'))
      const again = await reopen()
      expect(await readTexts(again, 's')).toEqual(['a', 'b'])
      expect((await again.keyValue.get('k'))?.revision).toBe(1)
      expect(await again.journal.append('s', 2, [bytes('c')])).toBe(3)
    })
    test('finishes pending writes when it is closed, and refuses later calls', async ({ store }) => {
      const pending = store.journal.append('s', 0, [bytes('a')])
      await store.close()
      expect(await pending).toBe(1)
      await store.close()
      const { journal, keyValue } = store
      for (const call of [
        journal.append('s', 1, [bytes('b')]),
        journal.compact('s', 1, [bytes('b')]),
        journal.read('s'),
        journal.last('s'),
        journal.streams(''),
        keyValue.get('k'),
        keyValue.put('k', bytes('v')),
        keyValue.delete('k'),
        keyValue.list(''),
      ])
        await expect(call).rejects.toMatchObject({ code: 'store.closed' })
    })
  })
}
