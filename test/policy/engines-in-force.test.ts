import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineContract, type MeshNode } from '@parley/mesh'
import type { PolicyPart, PolicyProblem } from '@parley/policy'
import { createToolkitForm, manifestForm } from '@parley/policy-agt'
import { createCedarForm } from '@parley/policy-cedar'
import { loadRego } from '@parley/policy-rego'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const reply = z.object({ text: z.string() })
const support = defineContract('support', {
  reply: { input: reply, output: reply, risk: 'reversible' },
  search: { input: reply, output: reply, risk: 'read' },
  drop: { input: reply, output: reply, risk: 'reversible' },
})

const policyForms = [createToolkitForm(), manifestForm, createCedarForm()]

function source(file: string, text: string): PolicyPart {
  return { file, text }
}

function bundle(name: string): PolicyPart {
  const problems: PolicyProblem[] = []
  const bytes = readFileSync(join(import.meta.dirname, 'languages', `${name}.tar.gz`))
  const engine = loadRego({ file: `${name}.tar.gz`, bytes }, problems)
  if (engine === undefined) throw new TypeError(JSON.stringify(problems))
  return engine
}

/** Two nodes; the callee answers with what it was given, and decides by `policy`. */
async function openPair(
  mesh: TestMesh,
  policy: readonly PolicyPart[],
): Promise<{ readonly desk: MeshNode; readonly callee: MeshNode }> {
  const callee = await mesh.node('acme/support', {
    serves: [support],
    policy,
    policyForms,
    serve: (node) => node.serve(support, { reply: (input) => input, search: (input) => input, drop: (input) => input }),
  })
  const desk = await mesh.node('acme/desk', { calls: [support.reply, support.search, support.drop] })
  return { desk, callee }
}

const toolkit = (rules: string, fallback = 'allow'): PolicyPart =>
  source('t.yaml', `apiVersion: governance.toolkit/v1\nname: t\ndefault_action: ${fallback}\nrules:\n${rules}\n`)

describe('engines in a node', () => {
  it('refuse a hop by a document of the toolkit, and the record names its rule', async () => {
    await using mesh = createTestMesh({ seed: 1 })
    const { desk, callee } = await openPair(mesh, [
      toolkit(`  - {name: never, condition: "action.type in ['drop', 'delete']", action: deny, description: no drops}`),
    ])
    expect(await desk.tryCall(support.drop, { text: 'x' })).toMatchObject({
      kind: 'refused',
      code: 'policy.denied',
    })
    expect(await desk.tryCall(support.reply, { text: 'x' })).toMatchObject({ kind: 'ok' })
    await mesh.clock.settle()
    const rules = mesh.recordsOf(callee).map((record) => JSON.stringify(record))
    expect(rules.some((text) => text.includes('never') && text.includes('no drops'))).toBe(true)
  })

  it('take from the limit of a document of the toolkit, and say when to come again', async () => {
    await using mesh = createTestMesh({ seed: 2 })
    const { desk } = await openPair(mesh, [
      toolkit(
        `  - {name: few, condition: "action.type in ['search', 'reply']", action: allow, limit: 2/minute}`,
        'deny',
      ),
    ])
    const search = async (): Promise<unknown> => await desk.tryCall(support.search, { text: 'x' })
    expect(await search()).toMatchObject({ kind: 'ok' })
    expect(await desk.tryCall(support.reply, { text: 'x' })).toMatchObject({ kind: 'ok' })
    expect(await search()).toMatchObject({ kind: 'refused', code: 'policy.rate-limited' })
    await mesh.clock.advance(30_000)
    expect(await search()).toMatchObject({ kind: 'ok' })
  })

  it('ask for an approval by a document of the toolkit', async () => {
    await using mesh = createTestMesh({ seed: 3 })
    const { desk } = await openPair(mesh, [
      toolkit(
        `  - {name: ask, condition: "action.type == 'reply'", action: require_approval, approvers: [security-team]}`,
      ),
    ])
    expect(await desk.tryCall(support.reply, { text: 'x' })).toMatchObject({
      kind: 'refused',
      code: 'policy.approval-required',
    })
  })

  it('refuse what a manifest does not list', async () => {
    await using mesh = createTestMesh({ seed: 4 })
    const { desk } = await openPair(mesh, [
      source(
        'm.yaml',
        'agent: {id: desk, manifest: {tools: [{name: reply, parameters: {text: {type: string, max_length: 3}}}]}}',
      ),
    ])
    expect(await desk.tryCall(support.reply, { text: 'abc' })).toMatchObject({ kind: 'ok' })
    expect(await desk.tryCall(support.reply, { text: 'abcd' })).toMatchObject({
      kind: 'refused',
      code: 'policy.denied',
    })
    expect(await desk.tryCall(support.search, { text: 'abc' })).toMatchObject({
      kind: 'refused',
      code: 'policy.denied',
    })
  })

  it('deliver what a transform in Rego left of the body', async () => {
    await using mesh = createTestMesh({ seed: 5 })
    const { desk } = await openPair(mesh, [bundle('email-redaction')])
    expect(await desk.tryCall(support.reply, { text: 'ask ann@acme.example' })).toMatchObject({
      kind: 'ok',
      output: { text: 'ask [redacted]' },
    })
    expect(await desk.tryCall(support.search, { text: 'x' })).toMatchObject({ kind: 'refused', code: 'policy.denied' })
  })

  it('deny by an error of Cedar', async () => {
    await using mesh = createTestMesh({ seed: 6 })
    const { desk } = await openPair(mesh, [
      source(
        'c.cedar',
        'permit (principal, action, resource);\n@id("broken") forbid (principal, action, resource) when { context.body.number > 1 };',
      ),
    ])
    expect(await desk.tryCall(support.reply, { text: 'x' })).toMatchObject({
      kind: 'refused',
      code: 'policy.evaluation-failed',
    })
  })

  it('deny by an engine that throws', async () => {
    await using mesh = createTestMesh({ seed: 7 })
    const throwing: PolicyPart = {
      name: 'throwing',
      language: 'none',
      file: 'none',
      hash: 'none',
      rules: [],
      decide() {
        throw new Error('broken')
      },
    }
    const { desk } = await openPair(mesh, [throwing])
    expect(await desk.tryCall(support.reply, { text: 'x' })).toMatchObject({
      kind: 'refused',
      code: 'policy.evaluation-failed',
    })
  })

  it('are replaced as a whole, or stay where one of them does not load', async () => {
    await using mesh = createTestMesh({ seed: 8 })
    const { desk, callee } = await openPair(mesh, [source('a.cedar', 'permit (principal, action, resource);')])
    expect(await desk.tryCall(support.reply, { text: 'x' })).toMatchObject({ kind: 'ok' })
    await callee.reloadPolicy([source('a.cedar', '@reason("closed") forbid (principal, action, resource);')])
    expect(await desk.tryCall(support.reply, { text: 'x' })).toMatchObject({ kind: 'refused', code: 'policy.denied' })
    await expect(callee.reloadPolicy([source('a.cedar', 'permit (')])).rejects.toThrow('a.cedar:1:')
    expect(await desk.tryCall(support.reply, { text: 'x' })).toMatchObject({ kind: 'refused', code: 'policy.denied' })
  })
})
