// Writes packages/protocol/src/error-codes.ts and docs/errors.md from errors.json. Run: node protocol/generate-errors.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderErrorCodes, renderErrorPage, type ErrorList } from './render-errors.ts'

const root = join(import.meta.dirname, '..')
const list = JSON.parse(readFileSync(join(import.meta.dirname, 'errors.json'), 'utf8')) as ErrorList
writeFileSync(join(root, 'packages/protocol/src/error-codes.ts'), renderErrorCodes(list))
writeFileSync(join(root, 'docs/errors.md'), renderErrorPage(list))
