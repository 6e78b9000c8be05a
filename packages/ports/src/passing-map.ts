/**
 * A map of what comes and goes: calls under way, work that is being driven. Its entries come in the order of their coming.
 *
 * The tables of a `Map` make room as they turn over, and V8 leaves each of them linked to the next. The one that has become
 * old holds those after it until the next full collection, with all that was in them: what should die young is moved to the
 * old, and most of the collector's time goes there. So a table here holds boxes, and whoever leaves empties his.
 */
export interface PassingMap<Key, Value extends object> {
  readonly size: number
  has(key: Key): boolean
  get(key: Key): Value | undefined
  set(key: Key, value: Value): void
  /** Tells whether it was there. */
  delete(key: Key): boolean
  keys(): IterableIterator<Key>
  /** Lists the values: taking some away meanwhile does not matter. */
  values(): Value[]
}
