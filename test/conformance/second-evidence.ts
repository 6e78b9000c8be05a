// Evidence of IATP 1 (§14), on top of the second codec and written from the spec alone, too.
import {
  leafOf,
  maxBody,
  maxHeader,
  need,
  needSigned,
  nodeOf,
  readHeader,
  settle,
  sha256,
  type HeaderForm,
  type Opinion,
} from './second-codec.ts'

/** Judges evidence by its bytes alone. */
export function judgeEvidence(bytes: Buffer, headers: HeaderForm): Opinion {
  return settle(() => {
    const malformed = 'iatp.evidence-malformed'
    need(bytes.length >= 73 && bytes.toString('latin1', 0, 4) === 'IATE', malformed)
    need(bytes[4] === 1, 'iatp.version-unsupported')
    need(bytes[5] === 1, 'iatp.suite-unsupported')
    const [form = 9, n = 0, i = 0] = bytes.subarray(6, 9)
    need(form <= 1 && n >= 1 && n <= 64 && i < n, malformed)
    const sides: boolean[] = []
    for (let [f, l] = [i, n - 1]; l > 0; [f, l] = [f >> 1, l >> 1]) {
      const isRight = f % 2 === 1 || f === l
      sides.push(isRight)
      while (isRight && f % 2 === 0 && f !== 0) [f, l] = [f >> 1, l >> 1]
    }
    const headerAt = 73 + 32 * sides.length + 4
    need(bytes.length >= headerAt, malformed)
    const h = bytes.readUInt32BE(headerAt - 4)
    need(h <= maxHeader, 'iatp.frame-oversize')
    const rest = bytes.subarray(headerAt + h)
    need(bytes.length >= headerAt + h && (form === 1 ? rest.length >= 16 : rest.length === 32), malformed)
    need(form === 0 || rest.length - 16 <= maxBody, 'iatp.frame-oversize')
    const header = bytes.subarray(headerAt, headerAt + h)
    const from = readHeader(header, headers).from
    const leaf = leafOf(header, form === 1 ? sha256(rest) : rest)
    const root = sides.reduce<Buffer>((hashed, isRight, at) => {
      const sibling = bytes.subarray(73 + 32 * at, 73 + 32 * (at + 1))
      return isRight ? nodeOf(sibling, hashed) : nodeOf(hashed, sibling)
    }, leaf)
    needSigned(from, n, root, bytes.subarray(9, 73))
    return [leaf]
  })
}
