import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Node, type YAMLMap } from 'yaml'
import type { PolicyProblem, ReportProblem } from '../policy-problem.ts'
import type { PolicySource } from '../policy-source.ts'

/** The largest document, in UTF-16 code units. */
export const maxDocumentLength: number = 4 * 1024 * 1024

const maxProblems = 100

/** A document whose YAML is in order. */
export interface OpenedYaml {
  readonly root: YAMLMap
  readonly report: ReportProblem
  /** Line and column from 1. */
  positionOf(offset: number): { readonly line: number; readonly column: number }
}

/**
 * Parses the YAML 1.2 of a source whose root is a map. Mistakes are appended to `problems` with file, line and column;
 * undefined if there is nothing to go on with. Aliases and tags are refused: no text means more than it shows.
 */
export function openYaml({ file, text }: PolicySource, problems: PolicyProblem[]): OpenedYaml | undefined {
  const lines = new LineCounter()
  const positionOf: OpenedYaml['positionOf'] = (offset) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const report: ReportProblem = (offset, problem) => {
    problems.push({ file, ...positionOf(offset), problem })
  }
  if (text.length > maxDocumentLength) {
    report(0, `the document is larger than ${String(maxDocumentLength)} characters`)
    return undefined
  }
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const faults = [...yaml.errors, ...yaml.warnings]
  for (const fault of faults.slice(0, maxProblems)) {
    const deep = fault.code === 'RESOURCE_EXHAUSTION'
    report(fault.pos[0], deep ? 'the document is nested too deeply' : `not valid YAML: ${fault.message}`)
    if (deep) break
  }
  if (faults.length > 0) return undefined
  let aliases = 0
  visit(yaml, {
    Alias(_key, node) {
      if (aliases++ < maxProblems)
        report(startOfNode(node), `the alias *${node.source} is refused: write the value out`)
    },
  })
  if (aliases > 0) return undefined
  const root = yaml.contents
  if (isMap(root)) return { root, report, positionOf }
  report(0, 'the document is not a map')
  return undefined
}

/** Tells where a node starts, in code units of its document; 0 for what is no node. */
export function startOfNode(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}

function isNode(node: unknown): node is Node {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)
}
