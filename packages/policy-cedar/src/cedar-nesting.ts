/** How deeply brackets, chains of operators and `if` may nest in one policy, all together. */
export const maxNesting = 100

const bracketWeight = 4
const tokens =
  /\/\/[^\n]*|"(?:[^"\\]|\\.)*"?|&&|\|\||if\b|then\b|else\b|[([{]|[)\]}]|[-+*.,;]|==|!=|<=|>=|<|>|[A-Za-z_]\w*|\d+|./gsu

/**
 * Finds where a text nests deeper than Cedar's parser has stack for. The parser of the library recurses, and a stack that
 * overflows leaves the whole library broken for the rest of the process, so such a text must never reach it. Returns the
 * offset, or undefined if all is well.
 */
export function findDeepNesting(text: string): number | undefined {
  let open: number[] = [0]
  let ifs = 0
  for (const { 0: token, index } of text.matchAll(tokens)) {
    const top = open.length - 1
    if (token === '(' || token === '[' || token === '{') open.push(bracketWeight)
    else if (token === ')' || token === ']' || token === '}') {
      // A group that closes is the operand of a chain around it, which goes on.
      if (top > 0) open.pop()
    } else if (token === '.' || token === '+' || token === '-' || token === '*') open[top] = (open[top] ?? 0) + 1
    else if (token === 'if') ifs += bracketWeight
    else if (token === ';') {
      open = [0]
      ifs = 0
    } else if (token === '&&' || token === '||' || token === ',') open[top] = top === 0 ? 0 : bracketWeight
    if (open.reduce((sum, weight) => sum + weight, ifs) > maxNesting) return index
  }
  return undefined
}
