import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  createLimitMeter,
  formatProblem,
  type PolicyEngine,
  type PolicyForm,
  type PolicyProblem,
  type PolicySource,
} from '@parley/policy'
import { createToolkitForm, manifestForm } from '@parley/policy-agt'
import { createManualClock } from '@parley/ports'
import { hopOf } from '../../packages/policy/src/policy-input.fixture.ts'
import type { ComparedCase } from './compared-case.ts'

/** Reads one of `documents/`. */
export function readDocument(file: string): PolicySource {
  return { file, text: readFileSync(join(import.meta.dirname, 'documents', file), 'utf8') }
}

const toolkitForm = createToolkitForm({ parent: (reference, from) => readDocument(join(dirname(from), reference)) })

/** Loads one of `documents/` by the form that accepts it. */
export function loadDocument(file: string): PolicyEngine {
  const source = readDocument(file)
  const forms: readonly PolicyForm[] = [toolkitForm, manifestForm]
  const problems: PolicyProblem[] = []
  const engine = forms.find((form) => form.accepts(source))?.compile(source, problems)
  if (engine === undefined) throw new TypeError(`not loaded: ${problems.map(formatProblem).join('\n')}`)
  return engine
}

/** Asks an engine of ours about a hop, and gives its answer in the toolkit's words; what its limits refuse is `deny`. */
export function askUs(engine: PolicyEngine, { action, body, hop, times }: ComparedCase): string {
  const input = hopOf({ ...hop, action, body: () => body })
  const meter = createLimitMeter({ clock: createManualClock() })
  const answers = Array.from({ length: times }, (): string => {
    const verdict = engine.decide(input)
    if (verdict.kind === 'deny') return verdict.kind
    const limits = (verdict.limits ?? []).map((limit) => ({ document: engine.name, ...limit }))
    return meter.take(limits, { agent: input.caller.name, action }).kind === 'deny' ? 'deny' : verdict.kind
  })
  return answers.at(-1) ?? ''
}
