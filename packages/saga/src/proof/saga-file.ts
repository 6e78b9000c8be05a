import { MeshError, type AgentName } from '@parley/protocol'
import { hashPaper, type Paper } from '../receipt/paper.ts'

/** The first line of an exported saga. */
export interface SagaFileHead {
  readonly agent: AgentName
  readonly saga: string
}

/** One entry of an exported journal, as its store has it. */
export interface SagaFileEntry {
  /** The line of the file that it begins at, from 1. */
  readonly line: number
  /** The first line, and where they were exported the bodies. */
  readonly text: string
}

/** An exported saga, cut into its parts; nothing of it is believed. */
export interface SagaFile {
  readonly head: SagaFileHead
  readonly entries: readonly SagaFileEntry[]
  readonly papers: ReadonlyMap<string, Paper>
  readonly end: { readonly line: number; readonly entries: number; readonly head: string }
}

/** What is wrong with an exported saga, and where. */
export class SagaFileError extends MeshError {
  readonly line: number

  constructor(line: number, code: 'saga.proof-malformed' | 'saga.proof-truncated', problem: string) {
    super(code, `line ${line} ${problem}`)
    this.name = 'SagaFileError'
    this.line = line
  }
}

const version = 1

/** Writes the first line. */
export function formatHead({ agent, saga }: SagaFileHead): string {
  return JSON.stringify({ parley: 'saga', v: version, agent, saga })
}

/** Writes the line of one credential. */
export function formatPaper({ credential, statement }: Paper): string {
  return JSON.stringify({ paper: hashPaper({ credential, statement }), credential, statement })
}

/** Writes the last line: without it a file is cut off. */
export function formatEnd({ entries, head }: Pick<SagaFile['end'], 'entries' | 'head'>): string {
  return JSON.stringify({ end: { entries, head } })
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Cuts an exported saga into its parts. Every byte is accounted for: what is not hashed as an entry equals its own
 * re-serialisation. Throws `SagaFileError`: `saga.proof-malformed`, `saga.proof-truncated`.
 */
export function parseSagaFile(text: string): SagaFile {
  const lines = text.split('\n')
  const first = lines[0] ?? ''
  const head = readHead(parseLine(first, 1))
  if (formatHead(head) !== first) throw new SagaFileError(1, 'saga.proof-malformed', 'is not as an export writes it')
  const entries: SagaFileEntry[] = []
  const papers = new Map<string, Paper>()
  for (let line = 2; line <= lines.length; line++) {
    const current = lines[line - 1] ?? ''
    if (current === '') break
    const fields = parseLine(current, line)
    if ('end' in fields) {
      const end = readEnd(fields, line)
      if (formatEnd(end) !== current || lines.length !== line + 1 || lines[line] !== '')
        throw new SagaFileError(line, 'saga.proof-malformed', 'is not the last line as an export writes it')
      return { head, entries, papers, end: { line, ...end } }
    }
    if ('paper' in fields) addPaper(papers, current, fields, line)
    else if (papers.size > 0) throw new SagaFileError(line, 'saga.proof-malformed', 'stands behind the credentials')
    else if ('salt' in fields) addBodies(entries, current, line)
    else entries.push({ line, text: current })
  }
  throw new SagaFileError(
    lines.length,
    'saga.proof-truncated',
    'is the last one, but no end of an export: it is cut off',
  )
}

function addPaper(
  papers: Map<string, Paper>,
  text: string,
  { credential, statement, paper }: Fields,
  line: number,
): void {
  if (
    typeof credential !== 'string' ||
    typeof statement !== 'string' ||
    formatPaper({ credential, statement }) !== text
  )
    throw new SagaFileError(line, 'saga.proof-malformed', 'is no credential under its own name')
  papers.set(String(paper), { credential, statement })
}

/** Bodies belong to the entry right before them, once. */
function addBodies(entries: SagaFileEntry[], text: string, line: number): void {
  const last = entries.pop()
  if (!last || last.text.includes('\n') || last.line !== line - 1)
    throw new SagaFileError(line, 'saga.proof-malformed', 'holds bodies of no entry')
  entries.push({ line: last.line, text: `${last.text}\n${text}` })
}

function parseLine(text: string, line: number): Fields {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Fields
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new SagaFileError(line, 'saga.proof-malformed', 'is not a JSON object')
}

function readHead({ parley, v, agent, saga }: Fields): SagaFileHead {
  if (parley !== 'saga' || v !== version || typeof agent !== 'string' || typeof saga !== 'string')
    throw new SagaFileError(1, 'saga.proof-malformed', `does not begin an exported saga of version ${version}`)
  return { agent: agent as AgentName, saga }
}

function readEnd({ end }: Fields, line: number): { readonly entries: number; readonly head: string } {
  const { entries, head } = (end ?? {}) as { readonly entries?: unknown; readonly head?: unknown }
  if (typeof entries !== 'number' || typeof head !== 'string')
    throw new SagaFileError(line, 'saga.proof-malformed', 'ends nothing')
  return { entries, head }
}
