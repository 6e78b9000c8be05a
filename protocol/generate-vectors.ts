// Writes protocol/vectors/*.json from fixed seeds and a fixed clock. Run: node protocol/generate-vectors.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderVectorFiles } from '../test/vectors/vector-files.ts'

for (const [name, text] of await renderVectorFiles()) writeFileSync(join(import.meta.dirname, 'vectors', name), text)
