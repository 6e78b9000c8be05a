import { isAuditRecordLine } from '@parley/audit'
import type { Random } from '@parley/ports'

/** A copy of an audit export that somebody changed, and the record at which that begins. */
export interface Tampered {
  readonly text: string
  readonly firstBadRecord: number
}

/** Changes an export in one way, at a place that `random` draws. */
export type Tamper = (exported: string, random: Random) => Tampered

/** Four ways to falsify a log. */
export const tampers: Readonly<Record<string, Tamper>> = {
  'a byte changed': (exported, random) => {
    const { lines, places, at } = draw(exported, random, 0)
    const line = lines[places[at] ?? 0] ?? ''
    const byte = Math.floor(random.float() * line.length)
    const changed = String.fromCharCode(line.charCodeAt(byte) ^ 1)
    return finish(lines.with(places[at] ?? 0, line.slice(0, byte) + changed + line.slice(byte + 1)), at)
  },
  'a record deleted': (exported, random) => {
    const { lines, places, at } = draw(exported, random, 0)
    return finish(lines.toSpliced(places[at] ?? 0, 1), at)
  },
  'two records swapped': (exported, random) => {
    const { lines, places, at } = draw(exported, random, 1)
    const [one = 0, other = 0] = [places[at], places[at + 1]]
    return finish(lines.with(one, lines[other] ?? '').with(other, lines[one] ?? ''), at)
  },
  'the end cut off': (exported, random) => {
    const { lines, places, at } = draw(exported, random, 0)
    return finish(lines.slice(0, places[at]), at)
  },
}

/** Draws a record: `at` counts records from 0, `places` are their lines; the last `spare` are not drawn. */
function draw(
  exported: string,
  random: Random,
  spare: number,
): { readonly lines: readonly string[]; readonly places: readonly number[]; readonly at: number } {
  const lines = exported.split('\n').filter((line) => line !== '')
  const places = lines.flatMap((line, place) => (isAuditRecordLine(line) ? [place] : []))
  return { lines, places, at: Math.floor(random.float() * (places.length - spare)) }
}

function finish(lines: readonly string[], at: number): Tampered {
  return { text: lines.map((line) => `${line}\n`).join(''), firstBadRecord: at + 1 }
}
