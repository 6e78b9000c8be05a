import { errorCodes, type ErrorCode } from '@parley/protocol'
import type { HopRecord } from './hop-records.ts'

/** Who said no to a hop, and what would allow it. */
export interface DecidedNo {
  readonly side: string
  readonly stage?: string
  readonly code: string
  /** As `document#rule`, where a policy decided. */
  readonly rule?: string
  /** The trust that it was judged by. */
  readonly score?: number
  readonly tier?: string
  readonly meaning: string
  readonly todo: string
}

/** A hop as both sides recorded it. */
export interface ExplainedHop {
  readonly hop: string
  readonly records: readonly HopRecord[]
  /** Absent if it ended `ok`. */
  readonly decided?: DecidedNo
}

/**
 * Finds what decided about a hop. The callee's record comes first where there is one: it knows the rule and the reason,
 * while the caller was told the code alone.
 */
export function explainHop(hop: string, records: readonly HopRecord[]): ExplainedHop {
  const sides = ['callee', 'caller'].flatMap((side) => records.filter(({ record }) => record['side'] === side))
  const record = sides.map((side) => side.record).find(({ outcome }) => outcome !== 'ok')
  if (!record) return { hop, records }
  const code = String(record['code'] ?? record['outcome'])
  const rule = formatRule(record)
  const known = Object.hasOwn(errorCodes, code) ? errorCodes[code as ErrorCode] : undefined
  return {
    hop,
    records,
    decided: {
      side: String(record['side']),
      ...(record['stage'] === undefined ? {} : { stage: String(record['stage']) }),
      code,
      ...(rule === undefined ? {} : { rule }),
      ...(typeof record['score'] === 'number' ? { score: record['score'] } : {}),
      ...(typeof record['tier'] === 'string' ? { tier: record['tier'] } : {}),
      meaning: known?.meaning ?? 'The handler declined with an error that its contract declares.',
      todo: known?.todo ?? 'Ask for something that the callee does not decline.',
    },
  }
}

/** Formats the rule that a record names as `document#rule`; undefined if no policy was asked. */
export function formatRule({ document, rule }: HopRecord['record']): string | undefined {
  if (typeof rule !== 'string' || typeof document !== 'string') return undefined
  return rule.startsWith(`${document}#`) ? rule : `${document}#${rule}`
}
