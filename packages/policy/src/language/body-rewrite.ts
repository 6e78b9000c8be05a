import { Failure } from '../condition/failure.ts'
import type { HopView } from '../condition/hop-view.ts'
import type { LinearPattern } from '../condition/linear-pattern.ts'
import type { Evaluate } from '../condition/native-value.ts'

/** One change of a body: what stands at `path` is redacted, or becomes the value of an expression. */
export type BodyRewrite =
  | {
      readonly kind: 'redact'
      readonly path: BodyPath
      /** Only what it finds in a text is replaced; undefined replaces the whole value. */
      readonly pattern: LinearPattern | undefined
      readonly replacement: string
    }
  | { readonly kind: 'set'; readonly path: BodyPath; readonly value: Evaluate }

/** Keys from the body on; `*` is every item of a list. */
export type BodyPath = readonly string[]

/** Reads `body.notes[*].text`; undefined if it is no path. */
export function parseBodyPath(text: string): BodyPath | undefined {
  if (!/^body(?:\.[A-Za-z_][\w-]*|\[\*\])*$/.test(text)) return undefined
  return [...text.matchAll(/\.([A-Za-z_][\w-]*)|\[(\*)\]/g)].map(([, key, star]) => key ?? star ?? '')
}

/** Applies rewrites in their order and returns another body; the given one is not changed. */
export function rewriteBody(rewrites: readonly BodyRewrite[], body: unknown, view: HopView): unknown {
  let changed = body
  for (const rewrite of rewrites) {
    if (rewrite.kind === 'redact') {
      changed = redactAt(changed, rewrite)
      continue
    }
    const value = rewrite.value(view)
    if (value instanceof Failure) return value
    changed = changeAt(changed, rewrite.path, () => toJson(value))
  }
  return changed
}

/** Redacts what stands at one path of a body and returns another body. */
export function redactAt(
  body: unknown,
  { path, pattern, replacement }: Pick<Extract<BodyRewrite, { kind: 'redact' }>, 'path' | 'pattern' | 'replacement'>,
): unknown {
  return changeAt(body, path, (value) => redact(value, pattern, replacement))
}

function redact(value: unknown, pattern: LinearPattern | undefined, replacement: string): unknown {
  if (value === undefined) return undefined
  if (!pattern) return replacement
  if (typeof value === 'string') return pattern.replace(value, replacement)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: unknown) => redact(item, pattern, replacement))
  return mapObject(value, (item) => redact(item, pattern, replacement))
}

/** A key that is not there is only added by its last step, and only if the change gives something. */
function changeAt(value: unknown, [step, ...rest]: BodyPath, change: (value: unknown) => unknown): unknown {
  if (step === undefined) return change(value)
  if (step === '*') return Array.isArray(value) ? value.map((item: unknown) => changeAt(item, rest, change)) : value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const old = Object.hasOwn(value, step) ? (value as Readonly<Record<string, unknown>>)[step] : undefined
  const made = old === undefined && rest.length > 0 ? undefined : changeAt(old, rest, change)
  return made === undefined ? value : { ...mapObject(value, (item) => item), [step]: made }
}

/** Copies own keys as data, `__proto__` among them. */
function mapObject(value: object, map: (item: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(item)]))
}

/** Turns what the CEL library gives into JSON. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), toJson(item)]))
  return Array.isArray(value) ? value.map(toJson) : value
}
