import { compileExpression } from '../condition/condition.ts'
import { compilePattern, type LinearPattern } from '../condition/linear-pattern.ts'
import type { ReportProblem } from '../policy-problem.ts'
import { parseBodyPath, type BodyRewrite } from './body-rewrite.ts'
import type { DraftRule, DraftText } from './parse-document.ts'
import { defaultReplacement } from './redaction.ts'

/** Compiles what a transform does: `redact` with `matching` and `with`, then `rewrite`. */
export function compileRewrites(draft: DraftRule, report: ReportProblem): readonly BodyRewrite[] {
  const { fields, lists, maps, offset } = draft
  const pattern = readPattern(fields.get('matching'), report)
  const replacement = fields.get('with')?.text ?? defaultReplacement
  const redacted = (lists.get('redact') ?? []).flatMap((entry): readonly BodyRewrite[] => {
    const path = readPath(entry, report)
    return path ? [{ kind: 'redact', path, pattern, replacement }] : []
  })
  const set = (maps.get('rewrite') ?? []).flatMap(([key, expression]): readonly BodyRewrite[] => {
    const path = readPath(key, report)
    const value = compileExpression(expression.text, false, (inner, problem) => {
      report(expression.locate(inner), problem)
    })
    return path && value ? [{ kind: 'set', path, value }] : []
  })
  const rewrites = [...redacted, ...set]
  if (fields.get('effect')?.text === 'transform' && !lists.has('redact') && !maps.has('rewrite')) {
    report(offset, 'a transform says what it changes: give redact, a list of paths, or rewrite, a map of them')
  }
  const alone = fields.get('matching') ?? fields.get('with')
  if (alone && !lists.has('redact')) report(alone.offset, 'matching and with say how to redact: give redact too')
  return rewrites
}

function readPath(entry: DraftText, report: ReportProblem): readonly string[] | undefined {
  const path = parseBodyPath(entry.text)
  if (!path) report(entry.offset, `'${entry.text}' is no path into the body: write body.a.b or body.list[*].c`)
  return path
}

function readPattern(field: DraftText | undefined, report: ReportProblem): LinearPattern | undefined {
  if (!field) return undefined
  const pattern = compilePattern(field.text)
  if (typeof pattern !== 'string') return pattern
  report(field.offset, pattern)
  return undefined
}
