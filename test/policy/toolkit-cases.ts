import { casesOf, type ComparedCase } from './compared-case.ts'

const unread = 'its SDK does not read `action` of a rule, so every rule that matches denies'

/** Documents of the form `governance.toolkit/v1`, given to its SDK letter by letter. */
export const casesAsTheyAre: readonly ComparedCase[] = [
  ...casesOf('production.yaml', [
    ['db:drop', {}],
    ['db:delete', {}],
    ['db:truncate', { table: 'users' }],
    ['db:select', {}],
    ['db:drop_table', {}],
    ['mail:send_email', { to: 'a@acme.example' }, unread],
    ['mail:send_email:bulk', {}, unread],
    ['mail:read', {}],
    ['db:drop', {}, undefined, { direction: 'outbound' }],
  ]),
  ...casesOf('closed.yaml', [
    ['files:read', {}, unread],
    ['web:search', {}, unread],
    ['files:write', {}],
  ]),
]

const coerced =
  'its SDK turns other types into numbers and reads what is none as false; we deny what cannot be compared'
const silently =
  'its SDK has no `not` and no parentheses: a condition with one is false without a word, and the default allows'
const advisory =
  'its SDK answers `warn`, with `allowed: false`, and nothing else is asked; with us advice never decides'

/** Documents as above, but `action` renamed to `ruleAction`, the one name that the SDK reads. */
export const casesInItsSpelling: readonly ComparedCase[] = [
  ...casesOf('production.yaml', [
    ['db:drop', {}],
    ['mail:send_email', {}],
    ['db:select', {}],
  ]),
  ...casesOf('joined.yaml', [
    ['bank:transfer', { amount: 501 }],
    ['bank:transfer', { amount: 500 }],
    ['bank:transfer', {}],
    ['bank:pay', { amount: 501 }],
    ['goods:move', { place: 'cellar' }],
    ['goods:move', { place: 'attic' }],
    ['goods:move', { place: 'hall' }],
    ['files:share', { internal: true }],
    ['files:share', { internal: false }, silently],
    ['files:share', {}, silently],
    ['news:publish', { channel: 'press' }, silently],
    ['news:publish', { channel: 'social' }, silently],
    ['news:publish', { channel: 'intranet' }],
    ['photos:tag', { colour: 'red' }],
    ['photos:tag', { colour: 'green' }],
    ['photos:tag', { colour: 'blue' }],
    ['photos:sort', { colour: 'green' }],
    ['books:rename', { title: 'war and peace or not (in short)' }],
    ['books:rename', { title: 'war' }],
    ['data:store', { region: 'eu-central-1' }],
    ['data:store', { region: 'us-east-1' }],
    ['data:store', {}],
  ]),
  ...casesOf('values.yaml', [
    ['bank:pay', { amount: 100.5 }],
    ['bank:pay', { amount: 100.51 }],
    ['bank:pay', { amount: '100.51' }],
    ['bank:pay', { amount: '1' }, coerced],
    ['bank:pay', { amount: 'much' }, coerced],
    ['bank:pay', { amount: [1] }, coerced],
    ['bank:pay', { amount: { value: 1000 } }, coerced],
    ['bank:pay', { amount: null }, coerced],
    ['bank:pay', {}],
    ['cluster:scale', { replicas: 10 }],
    ['cluster:scale', { replicas: 9 }],
    ['shop:discount', { margin: 4.99 }],
    ['shop:discount', { margin: -3 }],
    ['shop:discount', { margin: 5 }],
    ['shop:discount', { margin: null }],
    ['shop:discount', {}],
    ['game:level', { level: 3 }],
    ['game:level', { level: '3' }],
    ['game:level', { level: 4 }],
    ['files:upload', { data: { contains_pii: true } }],
    ['files:upload', { data: { contains_pii: false } }],
    ['files:upload', { data: { contains_pii: 'yes' } }],
    ['files:upload', { data: 'contains_pii' }],
    ['files:upload', {}],
    ['tickets:flag', { urgent: true }],
    ['tickets:flag', { urgent: false }],
    ['tickets:flag', { urgent: 'true' }, coerced],
    ['docs:kind', { kind: 'draft' }],
    ['docs:kind', { kind: 'final' }],
    ['docs:kind', {}],
    ['docs:kind', { kind: ['draft'] }],
    ['http:list', { code: '404' }],
    ['http:list', { code: '500' }],
    ['http:list', { code: ['404'] }],
    ['http:list', { code: [500] }, coerced],
    [
      'http:list',
      { code: 500 },
      'its SDK compares 500 as a text; with us a number is not in a list of texts, nor outside',
    ],
  ]),
  ...casesOf('priorities.yaml', [
    ['cluster:deploy', {}],
    ['cluster:deploy', { hotfix: false }],
    ['cluster:deploy', { hotfix: true }],
    ['game:tie', {}],
    ['files:read', {}, advisory],
    ['files:read', { secret: true }, advisory],
    ['web:search', {}, advisory],
    ['pod:sleep', {}],
  ]),
  ...casesOf('closed.yaml', [
    ['files:read', {}],
    ['web:search', {}],
    ['bank:transfer', { amount: 50 }],
    ['bank:transfer', { amount: 51 }],
    ['bank:transfer', { amount: '50' }, coerced],
    ['bank:transfer', {}],
    ['data:export', {}, advisory],
    ['files:write', {}],
  ]),
  ...casesOf('limits.yaml', [
    ['web:search', {}, undefined, {}, 10],
    ['web:search', {}, undefined, {}, 11],
    ['mail:send_email', {}, undefined, {}, 2],
    ['mail:send_email', {}, undefined, {}, 3],
    ['web:fetch', {}, undefined, {}, 1],
  ]),
  ...casesOf('stages.yaml', [
    ['model:ask', { injected: true }],
    [
      'model:ask',
      { injected: true },
      'its SDK does not read `stage`; what an agent takes in is judged where it comes in',
      { direction: 'outbound' },
    ],
    ['db:drop', {}],
    ['db:drop', {}, undefined, { direction: 'outbound' }],
  ]),
  ...casesOf('research-only.yaml', [
    ['files:read', {}, undefined, { caller: { name: 'acme/research' } }],
    ['files:write', {}, undefined, { caller: { name: 'acme/research' } }],
    [
      'files:read',
      {},
      'a document that does not name the caller is silent; in a set the credentials then decide',
      { caller: { name: 'acme/desk' } },
    ],
  ]),
  ...casesOf('child.yaml', [
    ['db:drop', {}, 'its SDK does not read `extends`, so the parent does not hold'],
    ['db:drop', { ours: true }, 'its SDK does not read `extends`; with us no priority outranks what a parent denies'],
    ['data:export', {}],
    ['db:select', {}],
  ]),
  ...casesOf('production.yaml', [
    [
      'db:drop',
      {},
      'undo and lookup of a saga step are not asked of these documents: what was allowed can be taken back',
      { phase: 'undo' },
    ],
  ]),
]
