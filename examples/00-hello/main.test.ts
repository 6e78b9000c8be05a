import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

describe('00-hello', () => {
  it('prints the outcome and what decided', async () => {
    const env = { ...process.env, NATS_URL: undefined }
    const main = join(import.meta.dirname, 'main.ts')
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main], { env })
    expect({ stdout, stderr }).toEqual({
      stdout: "ok { seat: '12A to SFO for acme/desk' } allowed by parley:credentials-only; signed; recorded twice\n",
      stderr: '',
    })
  })
})
