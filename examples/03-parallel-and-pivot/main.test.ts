import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

describe('03-parallel-and-pivot', () => {
  it('prints what its README shows', async () => {
    const env = { ...process.env, NATS_URL: undefined }
    const main = join(import.meta.dirname, 'main.ts')
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main], { env })
    const readme = await readFile(join(import.meta.dirname, 'README.md'), 'utf8')
    expect(stderr).toBe('')
    expect(stdout.split('\n')).toHaveLength(7)
    expect(readme).toContain(stdout)
  })
})
