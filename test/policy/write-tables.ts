import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { comparisonPage, fillComparisonPage } from './comparison-page.ts'

const path = join(import.meta.dirname, '../..', comparisonPage)
writeFileSync(path, fillComparisonPage(readFileSync(path, 'utf8')))
