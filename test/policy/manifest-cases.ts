import { casesOf, type ComparedCase } from './compared-case.ts'

const research = { caller: { name: 'acme/research' } } as const
const trusted = { caller: { name: 'acme/research', tier: 'trusted', score: 800 } } as const
const unread = 'its SDK has no manifests: it loads one without a word, and refuses all'

/** Hops under `manifest.yaml`. */
export const manifestCases: readonly ComparedCase[] = casesOf('manifest.yaml', [
  ['web:web_search', { query: 'trains to Zurich' }, unread, research],
  ['web:web_search', { query: 'x'.repeat(500) }, unread, research],
  ['web:web_search', { query: 'x'.repeat(501) }, undefined, research],
  ['web:web_search', { query: 7 }, undefined, research],
  ['web:web_search', { query: 'trains', depth: 3 }, undefined, research],
  ['web:web_search', { query: 'trains' }, undefined, { ...research, risk: 'irreversible' }],
  ['web:web_search', { query: 'trains' }, unread, research, 30],
  ['web:web_search', { query: 'trains' }, undefined, research, 31],
  ['files:read_file', { path: 'a.txt' }, unread, research],
  ['files:read_file', { path: 'a.txt', lines: 1000 }, unread, research],
  ['files:read_file', { path: 'a.txt', lines: 1001 }, undefined, research],
  ['files:read_file', { path: 'a.txt', lines: 1.5 }, undefined, research],
  ['files:read_file', {}, undefined, research],
  ['bank:transfer_funds', { amount: 100, to: 'CH93' }, unread, { ...research, risk: 'irreversible' }],
  ['bank:transfer_funds', { amount: 100.01 }, undefined, { ...research, risk: 'irreversible' }],
  ['bank:transfer_funds', { amount: '1' }, undefined, { ...research, risk: 'irreversible' }],
  ['bank:transfer_funds', { amount: -1 }, undefined, { ...research, risk: 'irreversible' }],
  ['bank:transfer_funds', {}, undefined, { ...research, risk: 'irreversible' }],
  ['db:delete_record', { id: '7' }, undefined, { ...research, risk: 'irreversible' }],
  ['db:delete_record', { id: '7' }, unread, { ...trusted, risk: 'irreversible' }],
  ['shell:execute_code', { code: 'ls' }, undefined, trusted],
  ['web:web_scrape', {}, undefined, research],
  ['mail:send_email', {}, undefined, trusted],
  ['mail:send_email', {}, 'a manifest speaks of its own agent only', { caller: { name: 'acme/desk' } }],
])
