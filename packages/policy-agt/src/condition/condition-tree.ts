/** A literal of a condition. */
export type Literal = string | number | boolean

/** A literal with where it stands. */
export interface PlacedLiteral {
  readonly value: Literal
  readonly offset: number
}

/** How a path is compared with literals. */
export type ComparisonOperator = '==' | '!=' | '>' | '>=' | '<' | '<=' | 'in' | 'not in'

/** A test of one path: with `literals` compared (one but for `in` and `not in`), without any, whether it is truthy. */
export interface Comparison {
  readonly kind: 'comparison'
  readonly path: string
  readonly offset: number
  readonly end: number
  readonly operator: ComparisonOperator | undefined
  readonly literals: readonly PlacedLiteral[]
}

/** Two or more conditions of which all, or one, have to hold. */
export interface Junction {
  readonly kind: 'and' | 'or'
  readonly offset: number
  readonly end: number
  readonly parts: readonly ConditionTree[]
}

/** A condition that must not hold. */
export interface Negation {
  readonly kind: 'not'
  readonly offset: number
  readonly end: number
  readonly part: ConditionTree
}

/** A parsed condition of the form `governance.toolkit/v1`. Offsets count UTF-16 code units of the condition. */
export type ConditionTree = Comparison | Junction | Negation
