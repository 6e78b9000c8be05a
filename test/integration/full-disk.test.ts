import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineContract } from '@parley/mesh'
import { createSagas, defineSaga, shareSagas, signal, step, wait } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { createTestMesh } from '@parley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

const rooms = defineContract('rooms', {
  book: { input: z.object({ guest: z.string() }), output: z.object({ room: z.number() }), risk: 'read' },
})
const stay = defineSaga(
  'stay',
  { version: 1, input: z.object({ guest: z.string() }) },
  wait('paid', signal(z.string())),
  step('room', { do: rooms.book, to: ['acme/hotel'], input: ({ saga }) => ({ guest: saga.guest }) }),
)

/** The disk is a real one: time is turned so slowly that no deadline of a step passes while it writes. */
const patience = { timeout: 15_000, interval: 20 }

/** Fills a file system to its last byte; returns what frees it again. */
function fill(folder: string): () => void {
  const path = join(folder, 'ballast')
  const file = openSync(path, 'w')
  for (const size of [65_536, 4_096, 1])
    for (;;) {
      try {
        if (writeSync(file, Buffer.alloc(size)) < size) break
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') break
        throw error
      }
    }
  closeSync(file)
  return () => {
    rmSync(path)
  }
}

function mountSmallDisk(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' })
    return true
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}

describe('sagas whose disk is full', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-full-'))
  let isMounted = false
  beforeAll(() => {
    isMounted = mountSmallDisk(folder)
  })
  afterAll(() => {
    if (isMounted) execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })

  it('refuse starts and signals with a code, lose nothing, and go on once there is room (skipped where no tmpfs may be mounted)', async ({
    skip,
  }) => {
    if (!isMounted) skip('this process may not mount a file system of its own')
    await using mesh = createTestMesh()
    const guests: string[] = []
    await mesh.node('acme/hotel', {
      serves: [rooms],
      serve: (node) => {
        node.serve(rooms, {
          book: {
            do({ guest }) {
              guests.push(guest)
              return { room: guests.length }
            },
          },
        })
      },
    })
    const shared = await openSqliteStore({ path: join(folder, 'sagas.db') })
    const own = await openSqliteStore({ path: ':memory:', clock: mesh.clock })
    const node = await mesh.node('acme/desk', { calls: rooms.capabilities, store: shareSagas(own, shared) })
    const told: { readonly id: string; readonly error: unknown }[] = []
    const sagas = createSagas(node, { definitions: [stay] })
    await sagas.resume()
    const ids = ['a', 'b', 'c']
    for (const id of ids) await sagas.start(stay, { guest: id }, { id })
    const free = fill(folder)
    // What is in the log already may take a little more.
    for (let at = 0; at < 200; at++) {
      const failure = await sagas.start(stay, { guest: 'x'.repeat(2_000) }, { id: `more-${at}` }).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (failure === undefined) ids.push(`more-${at}`)
      else {
        told.push({ id: `more-${at}`, error: failure })
        break
      }
    }
    const [refused] = told
    expect(refused?.error).toMatchObject({
      code: 'store.write-failed',
      message: expect.stringMatching(/full/) as string,
    })
    const run = await sagas.attach('a')
    const signalled = await run.signal('paid', 'x'.repeat(8_000)).then(
      (verdict) => verdict.kind,
      () => 'failed',
    )
    expect(signalled).not.toBe('allow')
    free()
    const again = await sagas.start(stay, { guest: 'late' }, { id: refused?.id ?? '' })
    expect(again.state().status).not.toBe('stuck')
    for (const id of ['a', 'b', 'c']) {
      await expect
        .poll(async () => {
          await mesh.clock.advance(200)
          const verdict = await (await sagas.attach(id)).signal('paid', 'now')
          return verdict.kind
        }, patience)
        .toBe('allow')
      await expect
        .poll(async () => {
          await mesh.clock.advance(20)
          return (await sagas.attach(id)).state().status
        }, patience)
        .toBe('completed')
    }
    expect(guests.filter((guest) => guest.length === 1).toSorted()).toEqual(['a', 'b', 'c'])
    expect((await sagas.list()).stopped).toEqual([])
    await sagas.close()
    await shared.close()
    // Everything that was ever acknowledged is there.
    const left = await openSqliteStore({ path: join(folder, 'sagas.db') })
    for (const id of ids) expect(await left.journal.last(`saga/acme/desk/${id}`)).toBeGreaterThan(0)
    await left.close()
  })
})
