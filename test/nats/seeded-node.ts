import { createNode, defineContract, type AppendedRecord, type MeshNode } from '@parley/mesh'
import { openFileIssuer } from '@parley/identity'
import { createSystemClock, createSystemRandom, type Random } from '@parley/ports'
import { z } from 'zod'

const text = z.object({ text: z.string() })

/** A capability whose bodies are encrypted, and one whose bodies are not. */
export const clinic = defineContract('clinic', {
  ask: { input: text, output: text, risk: 'read', confidential: true },
  open: { input: text, output: text, risk: 'read' },
})

/** What every answer of the clinic starts with. */
export const answered = 'the doctor says about '

/** A node that serves the clinic, and what it did. */
export interface SeededNode {
  readonly node: MeshNode
  readonly asked: readonly string[]
  readonly records: readonly AppendedRecord[]
}

/** Starts `acme/doctor` with the key of a seed, so that a second process can have the same one. */
export async function startSeededNode(url: string, issuerDir: string, seed: Uint8Array): Promise<SeededNode> {
  const ports = { clock: createSystemClock(), random: createSystemRandom() }
  const asked: string[] = []
  const records: AppendedRecord[] = []
  const answer = (input: { readonly text: string }): { readonly text: string } => {
    asked.push(input.text)
    return { text: `${answered}${input.text}` }
  }
  const node = await createNode({
    name: 'acme/doctor',
    issuer: await openFileIssuer({ dir: issuerDir, ...ports }),
    serves: [clinic],
    nats: url,
    heartbeatMs: 200,
    random: startingWith(seed, ports.random),
    onRecord: (record) => records.push(record),
  })
  node.serve(clinic, { ask: answer, open: answer })
  await node.start()
  return { node, asked, records }
}

/** Random bytes of which the first of that length, an instance's key, are given. */
function startingWith(seed: Uint8Array, random: Random): Random {
  let isFirst = true
  return {
    float: () => random.float(),
    bytes(length) {
      if (!isFirst || length !== seed.length) return random.bytes(length)
      isFirst = false
      return seed.slice()
    },
  }
}
