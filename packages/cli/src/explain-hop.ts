import { describeCode } from './describe-code.ts'
import type { HopRecord } from './hop-records.ts'

/** Who said no to a hop, and what would allow it. */
export interface DecidedNo {
  /** `callee` also where only the caller's record is there and says that the refusal came as an answer. */
  readonly side: 'caller' | 'callee'
  /** The stage of that side; absent where it is not known, or the handler decided. */
  readonly stage?: string
  readonly code: string
  /** As `document#rule`, where the policy said no. */
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
  // What was sent and did not stay without an answer was decided at the other end, whose stage and rule are not told.
  const isAnswered = record['outcome'] !== 'unknown' || record['peerRecord'] !== undefined
  const isTold = record['side'] === 'caller' && record['sent'] === true && isAnswered
  const stage = isTold ? undefined : record['stage']
  const rule = stage === 'policy' ? formatRule(record) : undefined
  const known = describeCode(code)
  return {
    hop,
    records,
    decided: {
      side: isTold || record['side'] === 'callee' ? 'callee' : 'caller',
      ...(stage === undefined ? {} : { stage: String(stage) }),
      code,
      ...(rule === undefined ? {} : { rule }),
      ...(typeof record['score'] === 'number' ? { score: record['score'] } : {}),
      ...(typeof record['tier'] === 'string' ? { tier: record['tier'] } : {}),
      meaning: known?.meaning ?? 'The handler declined with an error that its contract declares.',
      todo: known?.todo ?? 'Ask for something that the callee does not decline.',
    },
  }
}

/** Formats the rule that a record names as `document#rule`, whatever it decided; undefined if no policy was asked. */
export function formatRule({ document, rule }: HopRecord['record']): string | undefined {
  if (typeof rule !== 'string' || typeof document !== 'string') return undefined
  return rule.startsWith(`${document}#`) ? rule : `${document}#${rule}`
}
