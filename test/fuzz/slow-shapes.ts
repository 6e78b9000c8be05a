import { systemHash } from '@parley/ports'
import { decodeFrame, encodeFrame, parseHeader, suites } from '@parley/protocol'
import { tokenWorks } from './slow-tokens.ts'

/** Shapes of a header that make a careless reader slow, at a size in bytes. */
const shapes: Readonly<Record<string, (bytes: number) => string>> = {
  'many members': (bytes) =>
    `{${Array.from({ length: bytes / 10 }, (_, at) => `"${String(at + 100_000)}":1`).join(',')}}`,
  'one member again and again': (bytes) => `{${Array.from({ length: bytes / 6 }, () => '"a":1').join(',')}}`,
  'a deep list': (bytes) => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2),
  'deep objects': (bytes) => '{"a":'.repeat(bytes / 6) + '1' + '}'.repeat(bytes / 6),
  'a long text of escapes': (bytes) => `{"type":"${'\\u0001'.repeat(bytes / 6)}"}`,
  'a long text of surrogates': (bytes) => `{"type":"${'😀'.repeat(bytes / 4)}"}`,
  'many labels': (bytes) =>
    JSON.stringify({ labels: Array.from({ length: bytes / 8 }, (_, at) => String(at + 10_000)) }),
  'many names in crit': (bytes) => JSON.stringify({ crit: Array.from({ length: bytes / 9 }, () => 'labels') }),
  'a long number': (bytes) => `{"counter":1${'0'.repeat(bytes)}}`,
  'colons and dashes': (bytes) => JSON.stringify({ capability: 'a:'.repeat(bytes / 2), traceparent: '0-'.repeat(8) }),
  'no JSON': (bytes) => '{"a":"'.repeat(bytes / 6),
}

const smallBytes = 6_000
const growth = 8
/** A reader that takes eight times as long for eight times as much is told from one that takes sixty-four times as long. */
const slownessFactor = 2.5
/** Below this a measurement is noise. */
const noiseMs = 0.5
const maxAttempts = 20

/** Finds headers and tokens for which reading takes more than in proportion to their size; empty where there are none. */
export function findSlowShapes(): readonly string[] {
  const headerWorks = Object.entries(shapes).map(
    ([name, shape]) => [name, (bytes: number) => reading(shape(bytes))] as const,
  )
  return [...headerWorks, ...Object.entries(tokenWorks)].flatMap(([name, work]) => {
    const [small, large] = measure(work(smallBytes), work(smallBytes * growth))
    return isSlow(small, large)
      ? [`${name}: ${small.toFixed(2)} ms, and ${large.toFixed(2)} ms for ${String(growth)} times as much`]
      : []
  })
}

/** Measures both until their times are in proportion, or the attempts are over: a busy machine makes any run slow. */
function measure(smallWork: () => unknown, largeWork: () => unknown): readonly [small: number, large: number] {
  let [small, large] = [Infinity, Infinity]
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    small = Math.min(small, bestMs(smallWork))
    large = Math.min(large, bestMs(largeWork))
    if (!isSlow(small, large)) break
  }
  return [small, large]
}

function isSlow(small: number, large: number): boolean {
  return large > noiseMs && large > Math.max(small, noiseMs / growth) * growth * slownessFactor
}

/** Reads a header as a node does, to its end. */
function reading(text: string): () => void {
  const envelope = { header: Buffer.from(text), body: new Uint8Array(), salt: new Uint8Array(16) }
  const bytes = encodeFrame(suites.ed25519Sha256, new Uint8Array(64), [envelope])
  return () => {
    const decoded = decodeFrame(systemHash, bytes)
    if (decoded.kind === 'allow') for (const { header } of decoded.frame.envelopes) parseHeader(header)
  }
}

/** The best of a few runs: what the machine does besides makes a run slower, never faster. */
function bestMs(work: () => unknown): number {
  const runs = Array.from({ length: 7 }, () => {
    const startedMs = performance.now()
    work()
    return performance.now() - startedMs
  })
  return Math.min(...runs)
}
