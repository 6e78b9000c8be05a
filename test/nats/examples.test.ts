import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

let server: RunningNatsServer
beforeAll(async () => {
  server = await startNatsServer({
    binary: await findNatsServer({ env: process.env, cacheDir: join(root, '.parley/cache') }),
  })
})
afterAll(async () => {
  await server.stop()
})

/** Runs an example as a program, in memory or over the broker. */
async function runExample(name: string, natsUrl: string | undefined): Promise<string> {
  const env = { ...process.env, NATS_URL: natsUrl }
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'examples', name, 'main.ts')], { env })
  return stdout
}

describe('an example', () => {
  it.each([
    '00-hello',
    '01-two-processes',
    '02-a-saga-that-unwinds',
    '03-parallel-and-pivot',
    '04-wait-for-a-human',
    '05-orchestrator-dies',
  ])('%s prints over a broker what it prints in memory', async (name) => {
    const [inMemory, overNats] = await Promise.all([runExample(name, undefined), runExample(name, server.url)])
    expect(inMemory).not.toBe('')
    expect(overNats).toBe(inMemory)
  })
})
