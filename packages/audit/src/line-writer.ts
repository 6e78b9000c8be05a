import { formatAuditLine } from './audit-line.ts'

/** The bytes of a line with its line feed: a range of a larger piece of memory, which lines share. */
export interface LineBytes {
  readonly slab: Uint8Array
  readonly start: number
  readonly end: number
}

/** The bytes of a record's line whose leaf hash is not known yet. */
export interface OpenLine extends LineBytes {
  /** The bytes of the record's text: what is hashed. */
  readonly text: Uint8Array
}

/** Writes record lines as bytes, once, where they stay until they are stored. */
export interface LineWriter {
  write(text: string): OpenLine
  /** Puts the leaf hash, in base64url, into a line. */
  close(line: OpenLine, leaf: string): void
}

const utf8 = new TextEncoder()
const slabBytes = 131_072
/** What stands before the text, and where the leaf hash does in it. */
const blank = '-'.repeat(43)
const head = utf8.encode(formatAuditLine({ kind: 'record', leaf: blank, text: '' }).slice(0, -1))
const leafAt = formatAuditLine({ kind: 'record', leaf: blank, text: '' }).indexOf(blank)
const tail = utf8.encode('}\n')
/** A UTF-16 unit has at most three bytes in UTF-8. */
const bytesPerUnit = 3

/** Creates a writer. */
export function createLineWriter(): LineWriter {
  let slab = new Uint8Array(0)
  let free = 0
  return {
    write(text) {
      const most = head.length + text.length * bytesPerUnit + tail.length
      if (free + most > slab.length) {
        slab = new Uint8Array(Math.max(slabBytes, most))
        free = 0
      }
      const start = free
      const textAt = start + head.length
      slab.set(head, start)
      const textEnd = textAt + utf8.encodeInto(text, slab.subarray(textAt)).written
      slab.set(tail, textEnd)
      free = textEnd + tail.length
      return { slab, start, end: free, text: slab.subarray(textAt, textEnd) }
    },
    close({ slab: written, start }, leaf) {
      for (let at = 0; at < leaf.length; at++) written[start + leafAt + at] = leaf.charCodeAt(at)
    },
  }
}

/** Joins lines. Neighbours in memory are copied together. */
export function joinLines(lines: readonly LineBytes[]): Uint8Array {
  let size = 0
  for (const { start, end } of lines) size += end - start
  const joined = new Uint8Array(size)
  let to = 0
  for (let first = 0; first < lines.length;) {
    const run = lines[first]
    if (!run) break
    let { end } = run
    let next = first + 1
    for (let line = lines[next]; line?.slab === run.slab && line.start === end; line = lines[++next]) end = line.end
    joined.set(run.slab.subarray(run.start, end), to)
    to += end - run.start
    first = next
  }
  return joined
}

/** Writes lines that are no records as bytes. */
export function encodeLines(lines: readonly string[]): LineBytes {
  const slab = utf8.encode(lines.map((line) => `${line}\n`).join(''))
  return { slab, start: 0, end: slab.length }
}
