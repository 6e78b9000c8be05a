import { defineContract } from '@parley/mesh'
import { createTestMesh } from '@parley/testkit'
import { expect, it } from 'vitest'
import { z } from 'zod'

const anything = defineContract(
  'anything',
  {
    take: { input: z.any(), output: z.object({}), risk: 'read' },
    tell: { input: z.object({}), stream: z.object({ count: z.any() }), output: z.object({}), risk: 'read' },
  },
  { events: { said: { payload: z.any() } } },
)

it('a value that fits its schema and has no JSON form is refused by name, and ends the stream whose part it is', async () => {
  await using mesh = createTestMesh()
  let ended = ''
  const teller = await mesh.node('acme/teller', {
    serves: [anything],
    serve: (node) => {
      node.serve(anything, {
        take: () => ({}),
        async *tell() {
          try {
            yield { count: 1n }
            return {}
          } finally {
            ended = 'by its finally block'
          }
        },
      })
    },
  })
  const desk = await mesh.node('acme/desk', { calls: [anything.take, anything.tell] })
  const itself: unknown[] = []
  itself.push(itself)
  expect(await teller.emit(anything.events.said, itself)).toMatchObject({
    code: 'contract.input-invalid',
    record: expect.any(Number),
  })
  expect(await desk.tryCall(anything.take, { count: 1n })).toMatchObject({
    kind: 'refused',
    code: 'contract.input-invalid',
    hop: { sent: false },
  })
  const stream = desk.stream(anything.tell, {})[Symbol.asyncIterator]()
  await expect(stream.next()).rejects.toMatchObject({
    outcome: { kind: 'unknown', code: 'contract.output-invalid' },
  })
  expect(ended).toBe('by its finally block')
})
