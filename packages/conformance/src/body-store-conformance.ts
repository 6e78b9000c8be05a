import type { BodyStore } from '@parley/ports'
import type { TestKit } from './test-kit.ts'

/** A body store that nobody else uses. */
export interface BodyStoreFixture {
  readonly bodies: BodyStore
  /** The time of its clock, in milliseconds since the Unix epoch. */
  now(): number
  dispose(): Promise<void>
}

const maxNameChars = 512
const minuteMs = 60_000

/** Defines the suite that every `BodyStore` must pass. `make` is called once for each test. */
export function bodyStoreConformance(
  { describe, it, expect }: TestKit,
  name: string,
  make: () => Promise<BodyStoreFixture>,
): void {
  const test = (title: string, run: (fixture: BodyStoreFixture) => Promise<void>): void => {
    it(title, async () => {
      const fixture = await make()
      try {
        await run(fixture)
      } finally {
        await fixture.dispose()
      }
    })
  }

  describe(`${name} as a BodyStore`, () => {
    test('gives back exactly the bytes that were put, under a name that a header can hold', async ({ bodies, now }) => {
      for (const length of [0, 1, 65_536, 2_000_000]) {
        const body = Uint8Array.from({ length }, (_, at) => (at * 31) & 0xff)
        const where = await bodies.put(body, now() + minuteMs)
        expect(where.length >= 1 && where.length <= maxNameChars).toBe(true)
        const found = await bodies.get(where, length)
        expect(found?.length).toBe(length)
        expect(found?.every((byte, at) => byte === body[at])).toBe(true)
      }
    })

    test('gives every body a name of its own, equal ones too', async ({ bodies, now }) => {
      const body = Uint8Array.of(1, 2, 3)
      const names = await Promise.all([1, 2, 3].map(() => bodies.put(body, now() + minuteMs)))
      for (const where of names) expect(await bodies.get(where, 3)).toEqual(body)
    })

    test('keeps what was put, whatever its giver and takers do to their bytes', async ({ bodies, now }) => {
      const mine = Uint8Array.of(1, 2, 3)
      const where = await bodies.put(mine, now() + minuteMs)
      mine.fill(0)
      const taken = await bodies.get(where, 3)
      taken?.fill(9)
      expect(await bodies.get(where, 3)).toEqual(Uint8Array.of(1, 2, 3))
    })

    test('gives nothing that is longer than was asked for', async ({ bodies, now }) => {
      const where = await bodies.put(Uint8Array.of(1, 2, 3), now() + minuteMs)
      expect(await bodies.get(where, 2)).toBe(undefined)
      expect((await bodies.get(where, 4))?.length).toBe(3)
    })

    test('has nothing under names that it did not give, whatever they look like', async ({ bodies, now }) => {
      const where = await bodies.put(Uint8Array.of(1), now() + minuteMs)
      const names = [
        `${where}x`,
        '',
        '..',
        '../../etc/hostname',
        '/etc/hostname',
        'file:///etc/hostname',
        'http://127.0.0.1/',
        '\0',
        '__proto__',
        'constructor',
      ]
      for (const strange of names) expect(await bodies.get(strange, 1_000_000)).toBe(undefined)
    })
  })
}
