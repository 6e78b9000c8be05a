import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createNode, defineContract, localIssuer } from '@parley/mesh'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const flights = defineContract('flights', {
  reserve: {
    input: z.object({ to: z.string() }),
    output: z.object({ seat: z.string() }),
    errors: { 'sold-out': z.object({ left: z.number() }) },
    risk: 'reversible',
  },
})

/** Compiles a program of this package that uses the contract above, and lists the lines of `body` that do not. */
async function listWrongLines(body: readonly string[]): Promise<readonly string[]> {
  const cache = join(import.meta.dirname, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'call-types-'))
  const head = [
    "import { defineContract, type MeshNode, type Serves } from '@parley/mesh'",
    "import { z } from 'zod'",
    "const flights = defineContract('flights', { reserve: { input: z.object({ to: z.string() }), output: z.object({ seat: z.string() }), errors: { 'sold-out': z.object({ left: z.number() }) }, risk: 'reversible' } })",
    'declare const desk: MeshNode',
  ]
  try {
    const root = join(import.meta.dirname, '../..')
    await writeFile(join(folder, 'program.ts'), [...head, ...body, ''].join('\n'))
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.base.json'),
        compilerOptions: { noEmit: true, typeRoots: [join(root, 'node_modules/@types')] },
        files: ['program.ts'],
      }),
    )
    const said = await new Promise<string>((resolve) => {
      execFile(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], (_, stdout, stderr) => {
        resolve(stdout + stderr)
      })
    })
    const wrong = new Set([...said.matchAll(/^.*program\.ts\((\d+),\d+\): error/gm)].map(([, line]) => Number(line)))
    const elsewhere = said.split('\n').filter((line) => /error TS/.test(line) && !line.includes('program.ts('))
    return [...elsewhere, ...body.filter((_, at) => wrong.has(head.length + 1 + at))]
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('the types of a call', () => {
  it('come from the contract alone', async () => {
    await using desk = await createNode({ name: 'acme/desk', issuer: localIssuer('acme'), calls: [flights.reserve] })
    const call = () => desk.call(flights.reserve, { to: 'SFO' })
    const tryCall = () => desk.tryCall(flights.reserve, { to: 'SFO' })
    expectTypeOf(call).returns.resolves.toEqualTypeOf<{ seat: string }>()
    type Ended = Awaited<ReturnType<typeof tryCall>>
    expectTypeOf<Extract<Ended, { kind: 'declined' }>['error']>().toEqualTypeOf<{
      readonly name: 'sold-out'
      readonly details: { left: number }
    }>()
    expectTypeOf<Ended['kind']>().toEqualTypeOf<'ok' | 'declined' | 'refused' | 'failed' | 'unknown'>()
    await expect(call()).rejects.toMatchObject({ details: { code: 'mesh.not-started' } })
  })

  it('do not compile for a wrong input, a wrong output and an error that is not declared', async () => {
    const right = [
      "void desk.call(flights.reserve, { to: 'SFO' })",
      'desk.serve(flights, { reserve: ({ to }) => ({ seat: to }) })',
      "desk.serve(flights, { reserve: (_input, hop) => hop.decline('sold-out', { left: 2 }) })",
    ]
    const wrong = [
      'void desk.call(flights.reserve, { to: 5 })',
      'void desk.call(flights.reserve, {})',
      'void desk.tryCall(flights.reserve, null)',
      "void desk.call(flights.refund, { to: 'SFO' })",
      'desk.serve(flights, { reserve: () => ({ seat: 12 }) })',
      "desk.serve(flights, { reserve: (_input, hop) => hop.decline('stolen', {}) })",
      "desk.serve(flights, { reserve: (_input, hop) => hop.decline('sold-out', { left: 'two' }) })",
      'export const nothing: Serves<typeof flights> = {}',
    ]
    expect(await listWrongLines([...right, ...wrong])).toEqual(wrong)
  })
})
