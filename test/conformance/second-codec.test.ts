import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { readText } from '../architecture/source-tree.ts'
import { readSource } from '../architecture/parsed-source.ts'
import type { EvidenceVector } from '../vectors/evidence-vectors.ts'
import type { FrameVector } from '../vectors/frame-vectors.ts'
import { judgeFrame, type Header, type HeaderForm } from './second-codec.ts'
import { judgeEvidence } from './second-evidence.ts'

const read = (name: string): unknown => JSON.parse(readText(`protocol/vectors/${name}`))
const schema = JSON.parse(readText('protocol/schemas/header.json')) as { readonly properties: object }
const fits = new Ajv2020({ strictTypes: false }).compile<Header>(schema)
const form: HeaderForm = { fits, names: new Set(Object.keys(schema.properties)) }
const { frames, receiver, nowMs } = read('frames.json') as {
  readonly frames: readonly FrameVector[]
  readonly receiver: string
  readonly nowMs: number
}
const { evidence } = read('evidence.json') as { readonly evidence: readonly EvidenceVector[] }

describe('a second codec, written from the spec alone', () => {
  it('imports node:crypto and nothing else', () => {
    expect(readSource('test/conformance/second-codec.ts').imports).toEqual(['node:crypto'])
  })

  it('agrees on every frame and bundle', () => {
    expect(frames.length).toBeGreaterThan(200)
    for (const { name, bytes, zeros = 0, subject, expect: expected, leaves } of frames) {
      const whole = Buffer.concat([Buffer.from(bytes, 'hex'), Buffer.alloc(zeros)])
      const opinion = judgeFrame(whole, form, subject, receiver, nowMs)
      expect(opinion.code, name).toBe(expected)
      const found = opinion.leaves.map((leaf) => leaf.toString('hex'))
      expect(found, name).toEqual(expected === 'allow' ? leaves : [])
    }
  })

  it('agrees on all evidence', () => {
    expect(evidence.length).toBeGreaterThan(40)
    for (const { name, bytes, expect: expected, leaf } of evidence) {
      const opinion = judgeEvidence(Buffer.from(bytes, 'hex'), form)
      expect(opinion.code, name).toBe(expected)
      const found = opinion.leaves.map((one) => one.toString('hex'))
      expect(found, name).toEqual(leaf === undefined ? [] : [leaf])
    }
  })
})
