import { describe, expect, it } from 'vitest'
import { field, messageSchema } from './message-schema.ts'
import { checkSchema } from './schema.ts'

interface Order {
  readonly item: string
  readonly sizes: readonly string[]
  readonly gift?: { readonly atMs: number; readonly card?: string }
}

const schema = messageSchema<Order>({
  item: field.token(5),
  sizes: field.texts(2),
  gift: field.optional(
    field.message<NonNullable<Order['gift']>>({ atMs: field.integer, card: field.optional(field.text(3)) }),
  ),
})
const sound = { item: 'lamp', sizes: ['s'] }

describe('messageSchema', () => {
  it('takes what fits, and drops what it does not know', () => {
    expect(checkSchema(schema, { ...sound, extra: 1 })).toEqual({ kind: 'valid', value: sound })
    const whole = { ...sound, gift: { atMs: -1, card: '' } }
    expect(checkSchema(schema, whole)).toEqual({ kind: 'valid', value: whole })
  })

  it.each([
    [null, 'is no object'],
    [[], 'is no object'],
    [{ sizes: [] }, 'item: is not valid'],
    [{ ...sound, item: '' }, 'item: is not valid'],
    [{ ...sound, item: 'lamps!' }, 'item: is not valid'],
    [{ ...sound, sizes: ['s', 'm', 'l'] }, 'sizes: is not valid'],
    [{ ...sound, sizes: [1] }, 'sizes: is not valid'],
    [{ ...sound, gift: {} }, 'gift: is not valid'],
    [{ ...sound, gift: { atMs: 0.5 } }, 'gift: is not valid'],
    [{ ...sound, gift: { atMs: 1, card: 'long' } }, 'gift: is not valid'],
    [{ item: 7, sizes: 7 }, 'item: is not valid; sizes: is not valid'],
  ])('refuses %j, naming its fields', (value, problems) => {
    expect(checkSchema(schema, value)).toEqual({ kind: 'invalid', problems })
  })

  it('prints what it checks', () => {
    expect(schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' })).toEqual({
      type: 'object',
      properties: {
        item: { type: 'string', minLength: 1, maxLength: 5 },
        sizes: { type: 'array', items: { type: 'string' }, maxItems: 2 },
        gift: {
          type: 'object',
          properties: { atMs: { type: 'integer' }, card: { type: 'string', maxLength: 3 } },
          required: ['atMs'],
        },
      },
      required: ['item', 'sizes'],
    })
  })
})
