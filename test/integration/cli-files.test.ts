import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { exitCodes } from '@parley/cli'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured } from './captured-cli.ts'

const main = join(import.meta.dirname, '../../packages/cli/src/main.ts')
const run = promisify(execFile)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-cli-files-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('what the system refuses', () => {
  it('tells of an output that cannot be written with 3, and not as a check that did not hold', async () => {
    const told = await run('sh', ['-c', `"${process.execPath}" "${main}" policy show > /dev/full`]).catch(
      (error: unknown) => error,
    )
    expect(told).toMatchObject({
      code: exitCodes.failure,
      stderr: expect.stringMatching(
        /^cli\.file-failed: what is printed cannot be written: ENOSPC\nwhat to do: .*\n$/,
      ) as string,
    })
  })

  it.each([
    ['issuer init PATH/keys --alias acme', 'a part of its path is no folder'],
    ['nats-config operator PATH/broker', 'a part of its path is no folder'],
    ['store config PATH/broker --store desk', 'a part of its path is no folder'],
    ['audit export --data PATH --out PATH/x', 'a part of its path is no folder'],
    ['keys init PATH/key', 'ENOTDIR'],
  ])('is a mistake in the command line and no bug: %s', async (line, why) => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const { code, err } = await runCaptured(line.replaceAll('PATH', file).split(' '))
    expect({ code, err }).toEqual({ code: exitCodes.usage, err: expect.stringContaining(why) as string })
    expect(err).not.toMatch(/^bug/)
  })

  it('makes no key for a store that cannot be, least of all outside of the folder', async () => {
    const inner = join(folder, 'inner')
    expect(await runCaptured(['store', 'config', inner, '--store', '../outside'])).toMatchObject({
      code: exitCodes.usage,
      err: expect.stringMatching(/^store\.name-invalid: /) as string,
    })
    expect(await readdir(folder)).not.toContain('outside.key')
  })

  it('is told by doctor of a file that is no store, which needs no backup', async () => {
    const note = join(folder, 'note')
    await writeFile(note, 'no store')
    const { out } = await runCaptured(['doctor', '--data', note], { PATH: folder })
    expect(out).toMatch(/fail store +.* is not the store of a node\n +Correct the path/)
  })

  it('reads what comes through a pipe, and nothing without end', async () => {
    const piped = ['-c', `printf nothing | "${process.execPath}" "${main}" verify /dev/stdin`]
    expect(await run('sh', piped).catch((error: unknown) => error)).toMatchObject({
      code: exitCodes.no,
      stdout: expect.stringContaining('iatp.evidence-malformed') as string,
    })
    expect(await runCaptured(['policy', 'lint', '/dev/zero'])).toMatchObject({
      code: exitCodes.usage,
      err: expect.stringContaining('is larger than') as string,
    })
  })
})
