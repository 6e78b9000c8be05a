import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSeededRandom } from '@parley/ports'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readKeyFile, writeKeyFile } from './key-file.ts'
import { generateSeed } from './seed.ts'

const seed = generateSeed(createSeededRandom(7))
let dir = ''
let path = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-key-'))
  path = join(dir, 'node.key')
})

afterEach(async () => {
  await rm(dir, { recursive: true })
})

describe('writeKeyFile', () => {
  it('writes a file of mode 0600 and leaves no other behind', async () => {
    await writeKeyFile(path, seed)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(dir)).toEqual(['node.key'])
    expect(await readKeyFile(path)).toEqual(seed)
  })

  it('never overwrites a key and keeps the old one whole', async () => {
    await writeKeyFile(path, seed)
    const other = generateSeed(createSeededRandom(8))
    await expect(writeKeyFile(path, other)).rejects.toMatchObject({ code: 'identity.key-file-exists' })
    expect(await readdir(dir)).toEqual(['node.key'])
    expect(await readKeyFile(path)).toEqual(seed)
  })

  it('hides the seed under a passphrase and opens only with it', async () => {
    await writeKeyFile(path, seed, { passphrase: 'correct horse' })
    const text = await readFile(path, 'utf8')
    expect(text).not.toContain(Buffer.from(seed).toString('base64url'))
    expect(await readKeyFile(path, { passphrase: 'correct horse' })).toEqual(seed)
    const wrong = await readKeyFile(path, { passphrase: 'wrong horse' }).catch((error: unknown) => error)
    expect(wrong).toMatchObject({ code: 'identity.key-file-invalid' })
    expect(String(wrong)).not.toContain('horse')
    await expect(readKeyFile(path)).rejects.toThrow(/give its passphrase/)
  })
})

describe('readKeyFile', () => {
  it.each([0o640, 0o604, 0o660, 0o644])('refuses mode %o', async (mode) => {
    await writeKeyFile(path, seed)
    await chmod(path, mode)
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'identity.key-file-permissions' })
  })

  it('refuses a seed that does not belong to the DID of the file', async () => {
    await writeKeyFile(path, seed)
    const other = Buffer.from(generateSeed(createSeededRandom(9))).toString('base64url')
    const text = (await readFile(path, 'utf8')).replace(Buffer.from(seed).toString('base64url'), other)
    await writeFile(path, text)
    await expect(readKeyFile(path)).rejects.toThrow(/does not belong to its DID/)
  })

  it('refuses a passphrase for a file that is not encrypted', async () => {
    await writeKeyFile(path, seed)
    await expect(readKeyFile(path, { passphrase: 'x' })).rejects.toThrow(/not encrypted/)
  })

  it.each(['', 'not json', '[]', '{}', '{"format":"parley-key/1"}', 'x'.repeat(5000)])(
    'refuses a file that is no key (%#)',
    async (text) => {
      await writeFile(path, text, { mode: 0o600 })
      await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'identity.key-file-invalid' })
    },
  )

  it('says so when there is no file', async () => {
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'identity.key-file-invalid' })
  })
})
