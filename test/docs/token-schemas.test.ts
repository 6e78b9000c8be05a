import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { readText } from '../architecture/source-tree.ts'

interface TokenSchema {
  readonly $comment?: string
  readonly required?: readonly string[]
}

const schemas = JSON.parse(readText('protocol/schemas/tokens.json')) as {
  readonly $id: string
  readonly $defs: Readonly<Record<string, TokenSchema>>
}
const ajv = new Ajv2020({ strictTypes: false, strictRequired: false }).addSchema(schemas)
const kinds = Object.entries(schemas.$defs).flatMap(([name, { $comment, required }]) =>
  $comment === undefined ? [] : [{ name, typ: $comment.replace('typ ', ''), required: required ?? [] }],
)

interface Vector {
  readonly expect: string
}

/** Every token that a vector with the verdict `allow` holds, and every token within one of those. */
function listTokens(value: unknown): readonly string[] {
  if (typeof value === 'string') {
    if (!/^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/.test(value)) return []
    return [value, ...listTokens(readClaims(value))]
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listTokens) : []
}

function readPart(token: string, at: number): unknown {
  return JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString('utf8'))
}

function readClaims(token: string): Readonly<Record<string, unknown>> {
  return readPart(token, 1) as Readonly<Record<string, unknown>>
}

const tokens = ['credentials', 'chains', 'orders', 'joins', 'declarations'].flatMap((file) => {
  const lists = Object.values(JSON.parse(readText(`protocol/vectors/${file}.json`)) as object).filter(Array.isArray)
  return lists.flat().flatMap((vector: Vector) => (vector.expect === 'allow' ? listTokens(vector) : []))
})
const typOf = (token: string): unknown => (readPart(token, 0) as { readonly typ?: unknown }).typ

describe('protocol/schemas/tokens.json', () => {
  it.each(kinds)('fits every $typ of the vectors, and none of them without a claim that it requires', (kind) => {
    const { name, typ, required } = kind
    const fits = ajv.compile({ $ref: `${schemas.$id}#/$defs/${name}` })
    const found = tokens.filter((token) => typOf(token) === typ).map(readClaims)
    expect(found.length, typ).toBeGreaterThan(0)
    for (const claims of found) {
      expect([fits(claims), fits.errors], JSON.stringify(claims)).toEqual([true, null])
      for (const claim of required) {
        const { [claim]: _, ...rest } = claims
        expect(fits(rest), `${typ} without ${claim}`).toBe(false)
        expect(fits({ ...claims, [claim]: [{}] }), `${typ} with another ${claim}`).toBe(false)
      }
    }
  })

  it('knows every kind of token that is in the vectors', () => {
    expect(new Set(tokens.map(typOf))).toEqual(new Set(kinds.map(({ typ }) => typ)))
  })
})
