import type { Random } from '@parley/ports'
import { envelopeTypes, knownHeaderFields } from '@parley/protocol'
import fc from 'fast-check'
import { drawIndex, drawOne, mutateBytes } from './byte-mutations.ts'

const fieldNames = [...knownHeaderFields]

/** Values that have broken readers of JSON before. */
const oddValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  Number.MAX_SAFE_INTEGER,
  1e308,
  '',
  ' ',
  '*',
  'flights:*',
  'constructor',
  'toString',
  'did:key:z6Mk',
  '\u0000',
  '\u2028',
  '😀',
  'x'.repeat(4_096),
  [],
  {},
  [[]],
  ['a', 'a'],
  { constructor: 1, hasOwnProperty: 2, valueOf: 3 },
  { length: 1 },
]

/** JSON texts that no JSON.stringify writes. */
const oddTexts: readonly string[] = [
  '1e3',
  '1.0',
  '-0',
  '"\\u0041"',
  '"\\ud800"',
  '"\\/"',
  '9007199254740993',
  '{"__proto__":{"isAdmin":true}}',
  '{"b":1,"b":2}',
  '{"2":1,"1":2}',
  '['.repeat(40) + ']'.repeat(40),
  'NaN',
  "'x'",
  '[1,]',
]

type GentleChange = (random: Random) => Readonly<Record<string, unknown>>

const drawHash = (random: Random): string => Buffer.from(random.bytes(32)).toString('base64url')

/** How many headers are changed so gently that they are still read, and go on to the stages after. */
const gentleShare = 0.45

/** Changes that leave a header one that can be read. */
const gentle: readonly GentleChange[] = [
  () => ({}),
  (random) => ({ [`x${String(drawIndex(random, 1_000))}`]: drawOne(random, ['é', 0, null, [[1]], { a: {} }]) }),
  (random) => ({ session: drawHash(random) }),
  (random) => ({ counter: drawOne(random, [1, 2, 3, 4]) }),
  (random) => ({ inReplyTo: drawHash(random) }),
  (random) => ({ contract: drawHash(random) }),
  (random) => ({ capability: drawOne(random, ['echo:say:x', 'echo:other', 'shop:buy']) }),
  (random) => ({ chain: drawHash(random) }),
  (random) => ({
    chain: drawHash(random),
    links: drawOne(random, [['eyJ'], ['a.b.c'], ['', '..'].map((one) => `x${one}`), []]),
  }),
  (random) => ({ labels: drawOne(random, [[], ['constructor'], Array.from({ length: 32 }, (_, at) => String(at))]) }),
  (random) => ({ pathIndex: drawIndex(random, 32) }),
  (random) => ({ remainingMs: drawOne(random, [0, 1, Number.MAX_SAFE_INTEGER]) }),
  (random) => ({ bodyRef: { hash: drawHash(random), bytes: drawIndex(random, 1_000), where: '../../etc/passwd' } }),
  (random) => ({
    saga: {
      id: 's',
      step: 'a',
      attempt: 1,
      epoch: drawIndex(random, 3),
      key: 'k',
      phase: drawOne(random, ['do', 'undo', 'lookup']),
      expiresAtMs: 0,
    },
  }),
  (random) => ({ expiresAtMs: drawOne(random, [0, Number.MAX_SAFE_INTEGER]) }),
  (random) => ({ mesh: drawOne(random, ['other', 'main']) }),
  (random) => ({ type: drawOne(random, envelopeTypes) }),
  (random) => ({ credential: 'a.b.c', versions: drawOne(random, [[], [2], [1, 2]]) }),
]

/** Draws JSON values of any shape with fast-check, the same for the same seed. */
export function sampleJson(seed: number, count: number): readonly unknown[] {
  return fc.sample(fc.jsonValue({ maxDepth: 4 }), { seed, numRuns: count })
}

/** Makes header bytes of a header: changed in its fields, in its text or in its bytes. */
export function mutateHeader(
  random: Random,
  header: Readonly<Record<string, unknown>>,
  values: readonly unknown[],
): Uint8Array {
  if (random.float() < gentleShare)
    return Buffer.from(JSON.stringify({ ...header, ...drawOne(random, gentle)(random) }))
  const text = JSON.stringify(mutateFields(random, header, values))
  const kind = random.float()
  if (kind < 0.6) return Buffer.from(text)
  if (kind < 0.8) return Buffer.from(insertText(random, text))
  return mutateBytes(random, Buffer.from(text), Buffer.from(drawOne(random, oddTexts)))
}

function mutateFields(
  random: Random,
  header: Readonly<Record<string, unknown>>,
  values: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const fields = { ...header }
  for (let round = 1 + drawIndex(random, 3); round > 0; round--) {
    const name = random.float() < 0.9 ? drawOne(random, fieldNames) : `x${String(drawIndex(random, 1_000))}`
    const kind = random.float()
    if (kind < 0.2) Reflect.deleteProperty(fields, name)
    else if (kind < 0.35) fields['type'] = drawOne(random, envelopeTypes)
    else if (kind < 0.5) fields['crit'] = [drawOne(random, fieldNames), name]
    else if (kind < 0.75) fields[name] = drawOne(random, oddValues)
    else fields[name] = drawOne(random, values)
  }
  return fields
}

/** Puts a member that nothing would write before the end of the text. */
function insertText(random: Random, text: string): string {
  const name = random.float() < 0.5 ? drawOne(random, fieldNames) : 'later'
  const value = drawOne(random, oddTexts)
  return random.float() < 0.2 ? `${text} ` : `${text.slice(0, -1)},${JSON.stringify(name)}:${value}}`
}
