import { dimensionNames, isDimension, type Dimension } from './dimensions.ts'
import type { EvidenceOutcome, EvidenceRole, Observed } from './evidence.ts'
import { outcomeTable, type OutcomeRow } from './outcome-table.ts'

/** What an observation does to a standing, whoever it is about. */
export interface Sight {
  /** The way it is written and told: `callee ok`, `measure outputQuality 0.5`, `incident 0.5 data-leaked`. */
  readonly text: string
  /** Its place among the kinds of sights, which are few. */
  readonly kind: number
  /** 0 to 100 for each of `dimensionNames`; -1 where it says nothing. */
  readonly targets: readonly number[]
  /** Counts towards the earned ceilings. */
  readonly isVerified: boolean
  /** Counts towards the incident that every fifth fault in a row is. */
  readonly isFault: boolean
  /** Ends a row of faults if it is none itself. */
  readonly isCallee: boolean
  /** Whether a capability that it is the first evidence for is scored apart from then on. */
  readonly opensCapability: boolean
  /** Of an incident; otherwise 0. */
  readonly severity: number
}

const sightsOfRows: readonly (readonly Sight[])[] = outcomeTable.map((row, at) =>
  (row.codes ?? ['']).map((code) => sightOfRow(row, at, code)),
)
const sightsByText: ReadonlyMap<string, Sight> = new Map(sightsOfRows.flat().map((sight) => [sight.text, sight]))
const measureKind = outcomeTable.length
const incidentKind = measureKind + dimensionNames.length

/** Says what an observation does; undefined if it says nothing about the peer. */
export function sightOf(observed: Observed): Sight | undefined {
  if ('role' in observed) return sightOfOutcome(observed.role, observed.outcome, observed.code)
  if ('dimension' in observed) return sightOfMeasure(observed.dimension, observed.value)
  return sightOfIncident(observed.incident, observed.severity)
}

/** Reads the text of a sight; undefined for what is none. */
export function parseSight(text: string): Sight | undefined {
  const known = sightsByText.get(text)
  if (known !== undefined) return known
  const [kind, first = '', second = '', ...rest] = text.split(' ')
  if (rest.length > 0) return undefined
  const value = Number(kind === 'measure' ? second : first)
  if (!(value >= 0 && value <= 1)) return undefined
  if (kind === 'measure' && isDimension(first)) return sightOfMeasure(first, value)
  return kind === 'incident' && value > 0 && second !== '' ? sightOfIncident(second, value) : undefined
}

/** Names the kind of a sight, as a remembered movement has it. */
export function nameSightKind(kind: number): string {
  const row = outcomeTable[kind]
  if (row !== undefined) return `${row.outcome} as ${row.role}`
  const dimension = dimensionNames[kind - measureKind]
  return dimension === undefined ? 'an incident' : `${dimension} as it was measured`
}

function sightOfOutcome(role: EvidenceRole, outcome: EvidenceOutcome, code: string | undefined): Sight | undefined {
  for (let at = 0; at < outcomeTable.length; at++) {
    const row = outcomeTable[at]
    if (row?.outcome !== outcome || row.role !== role) continue
    const place = row.codes === undefined ? 0 : row.codes.indexOf(code ?? '')
    if (place >= 0) return sightsOfRows[at]?.[place]
  }
  return undefined
}

function sightOfRow(row: OutcomeRow, kind: number, code: string): Sight {
  const { role, outcome, values, verified, fault } = row
  return {
    text: `${role} ${outcome}${code === '' ? '' : ` ${code}`}`,
    kind,
    targets: dimensionNames.map((name) => (values[name] === undefined ? -1 : values[name] * 100)),
    isVerified: verified,
    isFault: fault,
    isCallee: role === 'callee',
    // Whoever is refused chooses the capability, and would fill the book with names.
    opensCapability: outcome !== 'refused',
    severity: 0,
  }
}

function sightOfMeasure(dimension: Dimension, value: number): Sight {
  const index = dimensionNames.indexOf(dimension)
  return {
    ...unjudged,
    text: `measure ${dimension} ${String(value)}`,
    kind: measureKind + index,
    targets: dimensionNames.map((_, at) => (at === index ? value * 100 : -1)),
  }
}

function sightOfIncident(word: string, severity: number): Sight {
  return { ...unjudged, text: `incident ${String(severity)} ${word}`, kind: incidentKind, severity }
}

const unjudged: Omit<Sight, 'text' | 'kind'> = {
  targets: dimensionNames.map(() => -1),
  isVerified: false,
  isFault: false,
  isCallee: false,
  opensCapability: true,
  severity: 0,
}
