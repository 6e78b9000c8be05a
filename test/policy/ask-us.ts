import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  formatProblem,
  type PolicyEngine,
  type PolicyForm,
  type PolicyProblem,
  type PolicySource,
} from '@parley/policy'
import { createToolkitForm, manifestForm } from '@parley/policy-agt'
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

/** Asks an engine of ours about a hop, and gives its answer in the toolkit's words. */
export function askUs(engine: PolicyEngine, { action, body, hop }: ComparedCase): string {
  return engine.decide(hopOf({ ...hop, action, body: () => body })).kind
}
