import { hashTexts, type PolicyForm } from '@parley/policy'
import { systemHash } from '@parley/ports'
import { createManifestEngine } from './manifest-engine.ts'
import { readAgentManifest } from './read-agent-manifest.ts'

const start = /(?:^|\{)\s*["']?agent["']?\s*:/m
const part = /["']?manifest["']?\s*:/

/** The form of agent manifests: which tools one agent may call, how often, with which arguments, and who has to approve. */
export const manifestForm: PolicyForm = {
  name: 'agent manifest',
  accepts({ text }) {
    const head = text.slice(0, 64 * 1024)
    return !/^\s*["']?apiVersion["']?\s*:/m.test(head) && start.test(head) && part.test(head)
  },
  compile(source, problems) {
    const before = problems.length
    const manifest = readAgentManifest(source, problems)
    if (manifest === undefined || problems.length > before) return undefined
    return createManifestEngine(manifest, source.file, hashTexts([source.text], 'agent-manifest', systemHash))
  },
}
