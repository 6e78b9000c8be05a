import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findNatsServer } from './find-nats-server.ts'
import type { NatsServerBinary } from './nats-server-binary.ts'
import { startNatsServer } from './start-nats-server.ts'

const cacheDir = join(import.meta.dirname, '../../../.parley/cache')
let binary: NatsServerBinary
let storeDir: string

beforeAll(async () => {
  binary = await findNatsServer({ env: process.env, cacheDir })
  storeDir = await mkdtemp(join(tmpdir(), 'parley-store-'))
}, 180_000)
afterAll(async () => {
  await rm(storeDir, { recursive: true, force: true })
})

/** Resolves with the greeting of a server, or with undefined if nobody listens. */
function readGreeting(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('error', () => {
      resolve(undefined)
    })
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString())
    })
  })
}

describe('startNatsServer', () => {
  it('accepts connections on a free port of loopback, and no more after stop', async () => {
    const server = await startNatsServer({ binary, config: 'max_payload: 4096' })
    expect(await readGreeting(server.port)).toContain('"max_payload":4096')
    await server.stop()
    await server.stop()
    expect(await readGreeting(server.port)).toBeUndefined()
  })
  it('keeps port and store over a crash and a restart', async () => {
    await using server = await startNatsServer({ binary, jetstream: true, storeDir })
    const { pid, port } = server
    expect(await readdir(storeDir)).toContain('jetstream')
    await server.kill()
    expect(await readGreeting(port)).toBeUndefined()
    await server.restart()
    expect(server.port).toBe(port)
    expect(server.pid).not.toBe(pid)
    expect(await readGreeting(port)).toContain('"jetstream":true')
  })
  it('leaves a store that it was given', async () => {
    const server = await startNatsServer({ binary, jetstream: true, storeDir })
    await server.stop()
    expect(existsSync(join(storeDir, 'jetstream'))).toBe(true)
  })
  it('rejects with what the server said when it cannot start', async () => {
    await expect(startNatsServer({ binary, config: 'no_such_setting: 1' })).rejects.toMatchObject({
      code: 'nats-server.start-failed',
      message: expect.stringContaining('no_such_setting'),
    })
  })
  it('refuses a port that is taken', async () => {
    await using server = await startNatsServer({ binary })
    await expect(startNatsServer({ binary, port: server.port })).rejects.toMatchObject({
      code: 'nats-server.start-failed',
    })
  })
  it('refuses to promise synced writes where the version cannot', async () => {
    const old = { path: binary.path, version: '2.9.10' }
    await expect(startNatsServer({ binary: old, jetstream: true, syncAlways: true })).rejects.toMatchObject({
      code: 'nats-server.start-failed',
    })
  })
})
