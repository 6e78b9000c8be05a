/** One policy document as text. `file` is what mistakes are reported under; nothing is read from it. */
export interface PolicySource {
  readonly file: string
  readonly text: string
  /** It decides nothing by itself and is there for other documents to extend. */
  readonly isParent?: boolean
}
