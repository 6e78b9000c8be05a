import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@parley/cli'
import { verifySignature } from '@parley/identity'
import { systemHash } from '@parley/ports'
import { verifyEvidence, type VerifiedEvidence } from '@parley/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCaptured } from './captured-cli.ts'
import { openShop, type ShopMesh } from './shop.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-evidence-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

interface Kept {
  readonly open: ShopMesh
  readonly request: Uint8Array
  readonly requestWithoutBody: Uint8Array
  readonly reply: Uint8Array
}

/** Buys once; the counter keeps evidence of the request, the desk of the reply. */
async function keepEvidence(): Promise<Kept> {
  let request = new Uint8Array()
  let requestWithoutBody = new Uint8Array()
  const open = await openShop({
    buy: (_input, hop) => {
      request = Uint8Array.from(hop.evidence())
      requestWithoutBody = Uint8Array.from(hop.evidence({ withBody: false }))
      return { receipt: 'r-1' }
    },
  })
  const { hop } = await open.buy('lamp')
  if (!hop.evidence) throw new Error('no evidence of the reply')
  return { open, request, requestWithoutBody, reply: hop.evidence() }
}

function verified(bytes: Uint8Array): VerifiedEvidence {
  const result = verifyEvidence(systemHash, bytes, verifySignature)
  if (result.kind === 'deny') throw new Error(result.reason)
  return result.verified
}

const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)

describe('evidence of a hop', () => {
  it('proves the request to the callee and the reply to the caller, by the bytes alone', async () => {
    const kept = await keepEvidence()
    await using open = kept.open
    const request = verified(kept.request)
    expect(request.header).toMatchObject({ type: 'request', capability: 'shop:buy', from: open.desk.instance })
    expect(textOf(request.body)).toBe('{"item":"lamp"}')
    const reply = verified(kept.reply)
    expect(reply.header).toMatchObject({ type: 'reply', from: open.counter.instance, to: open.desk.instance })
    expect(reply.header.inReplyTo).toBe(Buffer.from(request.leaf).toString('base64url'))
    expect(textOf(reply.body)).toContain('"receipt":"r-1"')
  })

  it('names the leaf that both sides recorded', async () => {
    const kept = await keepEvidence()
    await using open = kept.open
    const leaf = Buffer.from(verified(kept.request).leaf).toString('base64url')
    for (const node of [open.desk, open.counter])
      expect((await open.hopsOf(node)).map((record) => record['leaf'])).toEqual([leaf])
  })

  it('is absent where no answer came', async () => {
    await using open = await openShop()
    open.mesh.disconnect(open.desk)
    expect((await open.buy()).hop.evidence).toBeUndefined()
  })
})

describe('parley verify', () => {
  const write = async (name: string, bytes: Uint8Array): Promise<string> => {
    const file = join(folder, name)
    await writeFile(file, bytes)
    return file
  }

  it('prints header, signer, whether the body is there and the verdict, and ends with 0', async () => {
    const kept = await keepEvidence()
    await using open = kept.open
    const whole = await runCaptured(['verify', await write('whole.bin', kept.request)])
    expect(whole.code).toBe(exitCodes.ok)
    expect(whole.out).toMatch(/^ok .*whole\.bin: a request/)
    expect(whole.out).toContain(`signed by ${open.desk.instance}`)
    expect(whole.out).toContain('the body is here: 15 bytes')
    expect(whole.out).toContain('capability: "shop:buy"')
    const bare = await runCaptured(['verify', await write('bare.bin', kept.requestWithoutBody)])
    expect(bare).toMatchObject({ code: exitCodes.ok })
    expect(bare.out).toContain('the body is not here')
    expect(bare.out).not.toContain('lamp')
    const json = await runCaptured(['verify', '--json', await write('reply.bin', kept.reply)])
    expect(JSON.parse(json.out)).toMatchObject({
      verdict: 'ok',
      signer: open.counter.instance,
      hasBody: true,
      header: { type: 'reply' },
    })
  })

  it('ends with 1 for bytes that are changed, cut or no evidence, and says which', async () => {
    const kept = await keepEvidence()
    await using _open = kept.open
    const last = kept.request.length - 1
    const cases = [
      ['changed.bin', kept.request.with(last, 0x2e), 'identity.signature-invalid'],
      ['cut.bin', kept.requestWithoutBody.subarray(0, -1), 'iatp.evidence-malformed'],
      ['longer.bin', Buffer.concat([kept.requestWithoutBody, Buffer.of(0)]), 'iatp.evidence-malformed'],
      ['text.bin', Buffer.from('IATP is not evidence'), 'iatp.evidence-malformed'],
      ['empty.bin', Buffer.alloc(0), 'iatp.evidence-malformed'],
      ['endless.bin', Buffer.concat([kept.request, Buffer.alloc(3_000_000)]), 'iatp.frame-oversize'],
    ] as const
    for (const [name, bytes, code] of cases) {
      const file = await write(name, bytes)
      const run = await runCaptured(['verify', file])
      expect(run).toMatchObject({ code: exitCodes.no })
      expect(run.out).toContain(`refused ${file}: ${code}`)
      const json = await runCaptured(['verify', file, '--json'])
      expect(json.code).toBe(exitCodes.no)
      expect(JSON.parse(json.out)).toMatchObject({ verdict: 'refused', code })
    }
  })

  it('ends with 2 for a file that is not there', async () => {
    const run = await runCaptured(['verify', join(folder, 'none.bin')])
    expect(run).toMatchObject({ code: exitCodes.usage })
    expect(run.err).toContain('cannot be read')
  })
})
