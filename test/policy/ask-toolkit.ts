import { PolicyEngine } from '@microsoft/agent-governance-sdk'
import type { ComparedCase } from './compared-case.ts'

/**
 * Asks the toolkit's TypeScript SDK about a hop, and gives the `action` of its answer. Its context is what its own wrapper
 * would hand in: the arguments, and the word for the action.
 */
export function askToolkit(text: string, { action, body, hop, times }: ComparedCase): string {
  const engine = new PolicyEngine()
  engine.loadYaml(text)
  const type = action.split(':')[1] ?? ''
  const agent = hop.caller?.name ?? 'acme/desk'
  const answers = Array.from({ length: times }, () =>
    engine.evaluatePolicy(agent, { ...structuredClone(body), action: { type } }),
  )
  return answers.at(-1)?.action ?? ''
}
