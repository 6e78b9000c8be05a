import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { SagaEvent } from '@parley/saga'
import { checkRun } from './check-run.ts'
import { readEffects } from './read-facts.ts'
import { effectTable, type SagaFacts } from './run-facts.ts'
import { databaseFile } from './setup.ts'

const agent = 'acme/trips'
const folder = mkdtempSync(join(tmpdir(), 'parley-check-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A journal that the shipped runner wrote. */
function readRecorded(id: string): SagaFacts {
  const recorded = join(import.meta.dirname, '../../packages/saga/src/journal/recorded', `v1-${id}.jsonl`)
  const [, ...lines] = readFileSync(recorded, 'utf8').trimEnd().split('\n')
  const events = lines.map((line) => (JSON.parse(line) as { readonly event: SagaEvent }).event)
  return { id, acknowledged: true, events }
}

const completed = readRecorded('completed')
const compensated = readRecorded('compensated')
let databases = 0

/** Makes the database that a participant of both sagas has at their ends, and lets somebody tamper with it. */
function makeDatabase(tamper = ''): ReturnType<typeof readEffects> {
  const file = databaseFile(folder, `acme/trips-${++databases}`)
  const db = new DatabaseSync(file)
  db.exec(effectTable)
  const insert = db.prepare(
    'INSERT INTO effect (kind, saga, step, key, attempt, epoch, caller) VALUES (?, ?, ?, ?, 1, 1, ?)',
  )
  for (const { id, events } of [completed, compensated])
    for (const event of events) {
      const key = `acme/travel/${id}/${'step' in event ? event.step : ''}`
      if (event.type === 'committed') insert.run('do', id, event.step, key, 'acme/desk')
      if (event.type === 'undone') insert.run('undo', id, event.step, key, 'acme/desk')
    }
  db.exec(tamper)
  db.close()
  return readEffects(file, agent)
}

const columns = 'kind, saga, step, key, attempt, epoch, caller'
const again = (where: string): string => `INSERT INTO effect (${columns}) SELECT ${columns} FROM effect WHERE ${where}`

describe('checkRun', () => {
  it('finds nothing wrong with what the shipped runner wrote, and effects that match', () => {
    const { violations, ends } = checkRun({ sagas: [completed, compensated], effects: makeDatabase() })
    expect(violations).toEqual([])
    expect(Object.fromEntries(ends)).toEqual({ completed: 'completed', compensated: 'compensated' })
  })

  it.each([
    [
      'an effect that was done twice',
      again("saga = 'completed' AND step = 'flight'"),
      /flight of completed was done .* twice/,
    ],
    [
      'an effect that is missing',
      "DELETE FROM effect WHERE saga = 'completed' AND step = 'mail'",
      /0 effects of mail stand/,
    ],
    [
      'an effect that outlives its saga',
      "DELETE FROM effect WHERE kind = 'undo' AND step = 'hotel'",
      /compensated, and hotel .* stands/,
    ],
    [
      'an effect that was undone although its saga completed',
      `${again("saga = 'completed' AND step = 'car'")}; UPDATE effect SET kind = 'undo' WHERE id = last_insert_rowid()`,
      /0 effects of car stand/,
    ],
    [
      'an undo of nothing',
      "DELETE FROM effect WHERE kind = 'do' AND saga = 'compensated' AND step = 'flight'",
      /flight .* was undone .*, where it did not stand/,
    ],
    [
      'a zombie that got through',
      "UPDATE effect SET epoch = 2 WHERE step = 'flight' AND kind = 'do'",
      /a zombie got through/,
    ],
    [
      'what another name did',
      "UPDATE effect SET caller = 'acme/rival' WHERE kind = 'undo'",
      /for acme\/rival, whose saga it is not/,
    ],
    [
      'what no journal intended',
      "UPDATE effect SET attempt = 9 WHERE saga = 'completed' AND step = 'hotel'",
      /does not know that it was to be/,
    ],
    [
      'what belongs to no saga',
      "UPDATE effect SET saga = 'other' WHERE saga = 'completed' AND step = 'hotel'",
      /of no saga of this run/,
    ],
  ])('finds %s', (_, tamper, violation) => {
    const { violations } = checkRun({ sagas: [completed, compensated], effects: makeDatabase(tamper) })
    expect(violations.join('\n')).toMatch(violation)
  })

  const cut = (facts: SagaFacts, by: number, ...more: readonly SagaEvent[]): SagaFacts => ({
    ...facts,
    events: [...facts.events.slice(0, facts.events.length - by), ...more],
  })
  it.each<readonly [string, SagaFacts, RegExp]>([
    ['was acknowledged and lost', { ...completed, events: [] }, /acknowledged, and is lost/],
    ['cannot be read', { ...completed, problem: 'the chain is broken' }, /cannot be read: the chain is broken/],
    ['nobody goes on with', cut(completed, 1), /is running, and nobody goes on/],
    ['hangs on its way back', cut(compensated, 1), /is undoing, and nobody goes on/],
    ['is stuck and does not say why', cut(compensated, 1, { type: 'stuck' }), /is stuck and does not say why/],
    [
      'was taken twice under one epoch',
      cut(completed, 1, { type: 'owned', instance: 'x', epoch: 1 }),
      /taken at epoch 1 after 1/,
    ],
    [
      'a former owner went on with',
      cut(
        completed,
        1,
        { type: 'owned', instance: 'x', epoch: 2 },
        { type: 'undo-intended', step: 'mail', attempt: 1, epoch: 1 },
      ),
      /"undo-intended" of epoch 1 at 2/,
    ],
  ])('finds a saga that %s', (_, facts, violation) => {
    const other = facts.id === 'completed' ? compensated : completed
    const { violations } = checkRun({ sagas: [facts, other], effects: makeDatabase() })
    expect(violations.join('\n')).toMatch(violation)
  })
})
