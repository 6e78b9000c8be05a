import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readBinaryCache, withFetchLock, writeBinaryCache } from './binary-cache.ts'
import { findNatsServer, locateNatsServer } from './find-nats-server.ts'
import { formatInstallAdvice } from './install-advice.ts'
import { hashFile } from './nats-server-binary.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-find-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** Writes a program that prints `line` whatever it is asked. */
async function writeProgram(path: string, line: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, `#!/bin/sh\necho '${line}'\n`)
  await chmod(path, 0o755)
  return path
}

describe('locateNatsServer', () => {
  it('finds what is there and fetches nothing', async () => {
    // On Linux /usr/sbin is looked at too, where this machine may have one.
    const absent = await locateNatsServer({ env: { PATH: folder }, cacheDir: join(folder, 'cache') })
    expect([undefined, '/usr/sbin/nats-server']).toContain(absent?.path)
    expect(await readdir(folder)).toEqual([])
    const path = await writeProgram(join(folder, 'bin/nats-server'), 'nats-server: v2.15.1')
    const found = await locateNatsServer({ env: { PATH: join(folder, 'bin') }, cacheDir: folder })
    expect(found).toMatchObject({ path, version: '2.15.1', source: 'PATH' })
  })
  it('refuses a NATS_SERVER that does not run', async () => {
    const env = { NATS_SERVER: join(folder, 'absent') }
    await expect(locateNatsServer({ env, cacheDir: folder })).rejects.toMatchObject({ code: 'nats-server.not-found' })
  })
})

describe('findNatsServer', () => {
  it('takes NATS_SERVER before PATH, with its hash', async () => {
    const chosen = await writeProgram(join(folder, 'mine'), 'nats-server: v2.12.0')
    await writeProgram(join(folder, 'bin/nats-server'), 'nats-server: v2.15.1')
    const found = await findNatsServer({ env: { NATS_SERVER: chosen, PATH: join(folder, 'bin') }, cacheDir: folder })
    expect(found).toEqual({
      path: chosen,
      version: '2.12.0',
      sha256: await hashFile(chosen),
      source: 'NATS_SERVER',
      warnings: [],
    })
  })
  it('refuses a NATS_SERVER that does not run, though PATH has one', async () => {
    await writeProgram(join(folder, 'bin/nats-server'), 'nats-server: v2.15.1')
    const env = { NATS_SERVER: join(folder, 'absent'), PATH: join(folder, 'bin') }
    await expect(findNatsServer({ env, cacheDir: folder })).rejects.toMatchObject({
      code: 'nats-server.not-found',
      message: expect.stringContaining('absent'),
    })
  })
  it('refuses a NATS_SERVER that is another program', async () => {
    const env = { NATS_SERVER: await writeProgram(join(folder, 'other'), 'hello') }
    await expect(findNatsServer({ env, cacheDir: folder })).rejects.toMatchObject({ code: 'nats-server.not-found' })
  })
  it('passes over what does not run on PATH and warns about an old version', async () => {
    await writeProgram(join(folder, 'one/nats-server'), 'broken')
    await mkdir(join(folder, 'two/nats-server'), { recursive: true })
    await writeProgram(join(folder, 'three/nats-server'), 'nats-server: v2.9.10')
    const env = { PATH: ['one', 'two', 'three'].map((name) => join(folder, name)).join(':') }
    const found = await findNatsServer({ env, cacheDir: folder })
    expect(found).toMatchObject({ source: 'PATH', version: '2.9.10' })
    expect(found.warnings.join('\n')).toContain('sync_interval: always')
  })
})

describe('writeBinaryCache', () => {
  const store = async (version: string): Promise<string> => {
    const path = await writeProgram(join(folder, `built-${version}`), `nats-server: v${version}`)
    const binary = { path, version, sha256: await hashFile(path), source: 'apt-download' as const, warnings: [] }
    return (await writeBinaryCache(join(folder, 'cache'), binary)).path
  }
  it('stores programs of which the newest is found', async () => {
    await store('2.9.10')
    const path = await store('2.15.1')
    expect(await readBinaryCache(join(folder, 'cache'))).toMatchObject({ path, version: '2.15.1', source: 'cache' })
  })
  it('I1: many writers of one version leave one whole program', async () => {
    const paths = await Promise.all(Array.from({ length: 8 }, () => store('2.15.1')))
    expect(new Set(paths).size).toBe(1)
    expect(await readBinaryCache(join(folder, 'cache'))).toMatchObject({ version: '2.15.1' })
  })
  it('I2: a program that was changed is not run, and is replaced by the next write', async () => {
    const path = await store('2.15.1')
    await writeFile(path, `${await readFile(path, 'utf8')}# tampered\n`)
    expect(await readBinaryCache(join(folder, 'cache'))).toBeUndefined()
    await store('2.15.1')
    expect(await readBinaryCache(join(folder, 'cache'))).toMatchObject({ version: '2.15.1' })
  })
})

describe('withFetchLock', () => {
  it('lets one fetch at a time', async () => {
    let inside = 0
    let most = 0
    const fetch = async (): Promise<void> => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside--
    }
    await Promise.all([withFetchLock(folder, fetch), withFetchLock(folder, fetch)])
    expect(most).toBe(1)
  })
  it('is not held up by a lock whose process is gone', async () => {
    await mkdir(join(folder, 'fetch.lock'))
    await writeFile(join(folder, 'fetch.lock/pid'), '999999999')
    expect(await withFetchLock(folder, () => Promise.resolve('done'))).toBe('done')
  })
})

describe('formatInstallAdvice', () => {
  it('names the package manager of the system', () => {
    expect(formatInstallAdvice('darwin')).toContain('brew install nats-server')
  })
})
