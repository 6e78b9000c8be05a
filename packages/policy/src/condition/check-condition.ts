import type { ASTNode } from '@marcbachmann/cel-js'
import { isCapability } from '@parley/protocol'
import { literalText } from './condition-clauses.ts'
import { closedSets, inputSchema, type RecordFields } from './input-schema.ts'
import { compilePattern } from './linear-pattern.ts'
import type { ReportProblem } from '../policy-problem.ts'

/** Functions whose time is linear in what they read; `matches` is one of RE2, not of JavaScript. */
const functions: ReadonlySet<string> = new Set([
  'all',
  'contains',
  'double',
  'endsWith',
  'exists',
  'exists_one',
  'filter',
  'has',
  'int',
  'lowerAscii',
  'matches',
  'size',
  'startsWith',
  'string',
  'upperAscii',
])

/** Functions that read a whole text: in a loop, only of what the loop goes over, or the time would be its square. */
const readers: ReadonlySet<string> = new Set([
  'contains',
  'double',
  'int',
  'lowerAscii',
  'matches',
  'string',
  'upperAscii',
])

const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter'])

/**
 * Checks what CEL's own type check lets through: unknown fields inside `has()`, functions that could run away, loops in
 * loops, and comparisons that can never hold. Reports each and returns whether there was none.
 */
export function checkCondition(root: ASTNode, report: ReportProblem): boolean {
  let clean = true
  const refuse = (node: ASTNode, problem: string): void => {
    clean = false
    report(node.start, problem)
  }
  const visit = (node: ASTNode, inLoop: boolean): void => {
    switch (node.op) {
      case 'id': {
        if (fieldsOf(node)) refuse(node, `${node.args} is a record: compare one of its fields`)
        return
      }
      case '.': {
        const [left, field] = node.args
        const fields = fieldsOf(left)
        if (fields === undefined) {
          visit(left, inLoop)
        } else if (!Object.hasOwn(fields, field)) {
          refuse(node, `unknown field ${field}: the record has ${Object.keys(fields).join(', ')}`)
        }
        return
      }
      case 'call': {
        const [name, args] = node.args
        checkCall(node, name, args, inLoop)
        checkReader(node, name, args, inLoop)
        for (const arg of args) visit(arg, inLoop)
        return
      }
      case 'rcall': {
        const [name, receiver, args] = node.args
        checkCall(node, name, args, inLoop)
        checkReader(node, name, [receiver, ...args], inLoop)
        visit(receiver, inLoop)
        for (const arg of loops.has(name) ? args.slice(1) : args) visit(arg, inLoop || loops.has(name))
        return
      }
      case '==':
      case '!=':
      case 'in': {
        const [left, right] = node.args
        checkComparison(left, right)
        checkComparison(right, left)
        visit(left, inLoop)
        visit(right, inLoop)
        return
      }
      default: {
        for (const child of childrenOf(node)) visit(child, inLoop)
      }
    }
  }
  const checkCall = (node: ASTNode, name: string, args: readonly ASTNode[], inLoop: boolean): void => {
    if (!functions.has(name)) {
      refuse(node, `unknown function ${name}: there are ${[...functions].join(', ')}`)
    }
    const [first] = args
    if (name === 'contains' && first !== undefined && literalText(first) === undefined) {
      refuse(first, 'contains takes a text in quotes, so that its time stays linear')
    }
    if (name === 'matches') checkPattern(node, args)
    if (!loops.has(name)) return
    if (inLoop) refuse(node, `${name} stands in another loop, which could run away: use one loop`)
    if (first?.op === 'id' && Object.hasOwn(inputSchema, first.args)) {
      refuse(first, `${first.args} is an input: give the loop variable another name`)
    }
  }
  const checkPattern = (node: ASTNode, args: readonly ASTNode[]): void => {
    const [pattern] = args
    const text = pattern && literalText(pattern)
    if (node.op !== 'rcall' || args.length !== 1 || text === undefined) {
      refuse(node, "matches is written text.matches('pattern'), with the pattern in quotes")
      return
    }
    const problem = compilePattern(text)
    if (typeof problem === 'string') refuse(pattern ?? node, problem)
  }
  const checkReader = (node: ASTNode, name: string, read: readonly ASTNode[], inLoop: boolean): void => {
    if (inLoop && readers.has(name) && read.some(readsBody)) {
      refuse(node, `${name} reads the body in a loop, which could run away: put it before the loop`)
    }
  }
  const checkComparison = (subject: ASTNode, words: ASTNode): void => {
    for (const word of words.op === 'list' ? words.args : [words]) {
      const text = literalText(word)
      if (text === undefined) continue
      if (subject.op === 'id' && subject.args === 'action' && !isCapability(text)) {
        refuse(word, `'${text}' is not a capability (service:operation), so no action ever equals it`)
      }
      const set = closedSetOf(subject)
      if (set !== undefined && !set.includes(text)) {
        refuse(word, `'${text}' is none of ${set.join(', ')}, so the comparison never holds`)
      }
    }
  }
  visit(root, false)
  return clean
}

function readsBody(node: ASTNode): boolean {
  if (node.op === 'id') return node.args === 'body'
  if (node.op === 'call') return node.args[1].some(readsBody)
  if (node.op === 'rcall') return readsBody(node.args[1]) || node.args[2].some(readsBody)
  return childrenOf(node).some(readsBody)
}

function fieldsOf(node: ASTNode): RecordFields | undefined {
  if (node.op !== 'id' || !Object.hasOwn(inputSchema, node.args)) return undefined
  const type = inputSchema[node.args]
  return typeof type === 'object' ? type : undefined
}

function closedSetOf(node: ASTNode): readonly string[] | undefined {
  if (node.op === 'id') {
    return Object.hasOwn(inputSchema, node.args) && Object.hasOwn(closedSets, node.args)
      ? closedSets[node.args]
      : undefined
  }
  if (node.op !== '.' || fieldsOf(node.args[0]) === undefined) return undefined
  return Object.hasOwn(closedSets, node.args[1]) ? closedSets[node.args[1]] : undefined
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
    case 'call':
    case 'rcall':
      return []
    case '.':
    case '.?':
      return [node.args[0]]
    case 'map':
      return node.args.flat()
    case '!_':
    case '-_':
      return [node.args]
    default:
      return node.args
  }
}
