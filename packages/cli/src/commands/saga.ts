import type { Command } from 'commander'
import { MeshError, type AgentName } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { formatSaga, formatSagaLine } from '../format-saga.ts'
import { loadDefinitions } from '../load-definitions.ts'
import { parseName } from '../parse-name.ts'
import { findSaga, readSagas, type KeptSaga } from '../saga-store.ts'
import { withStore } from '../with-store.ts'
import { addSagaDecisions } from './saga-decide.ts'
import { addSagaExport } from './saga-export.ts'

interface StoreFlags {
  readonly data: string
  readonly of?: AgentName
  readonly json?: boolean
}

const dataText = 'the store of a stopped node, or a copy'
const ofText = 'the agent whose sagas are meant, where a store has those of several'

/** Adds `parley saga list`, `show`, `check`, `versions`, `export`, and the decisions of people. */
export function addSagaCommands(program: Command, context: CliContext): void {
  const saga = program.command('saga').description('sagas of a store, and what people decide about them')
  const read = (name: string, description: string): Command =>
    saga
      .command(name)
      .description(description)
      .requiredOption('--data <file>', dataText)
      .option('--of <name>', ofText, parseName)
      .option('--json', 'print it as JSON')
  read('list', 'list sagas: what each is at, and what it waits for')
    .option('--open', 'only those that are not over')
    .action(async (flags: StoreFlags & { readonly open?: boolean }) => {
      const all = await withStore(flags.data, (store) => readSagas(store, flags.of))
      const sagas = flags.open ? all.filter(isOpen) : all
      context.print(
        flags.json ?? false,
        sagas.length === 0 ? [formatNone(flags)] : sagas.map((one) => formatKept(context, one)),
        { sagas: sagas.map(describeKept) },
      )
      if (sagas.some(({ error }) => error)) context.end(exitCodes.no)
    })
  read('show <id>', 'show one saga: its timeline, and every event').action(async (id: string, flags: StoreFlags) => {
    const found = await withStore(flags.data, (store) => findSaga(store, id, flags.of))
    const { agent, view, events, error } = found
    if (!view) throw error ?? new MeshError('saga.unknown', `the saga "${id}" cannot be read`)
    context.print(flags.json ?? false, formatSaga(context, agent, view, events), { agent, view, events })
  })
  read('versions', 'list the versions of definitions that sagas of the store are under way with').action(
    async (flags: StoreFlags) => {
      const sagas = await withStore(flags.data, (store) => readSagas(store, flags.of))
      const versions = countVersions(sagas.filter(isOpen))
      const lines = versions.map(
        ({ definition, fingerprint, open }) => `${definition}  ${fingerprint}  ${String(open)} open`,
      )
      context.print(flags.json ?? false, lines.length === 0 ? [formatNone({ ...flags, open: true })] : lines, {
        versions,
      })
    },
  )
  read('check <module>', 'hold open sagas against the definitions that a module exports, before it is deployed').action(
    async (module: string, flags: StoreFlags) => {
      const definitions = await loadDefinitions(module)
      const sagas = await withStore(flags.data, (store) => readSagas(store, flags.of))
      const checked = sagas
        .filter(isOpen)
        .map((one) => ({ id: one.id, agent: one.agent, verdict: check(one, definitions) }))
      const bad = checked.filter(({ verdict }) => verdict !== 'ok')
      const lines = [
        ...bad.map(({ id, agent, verdict }) => `${context.paint.red(verdict)} ${agent} ${id}`),
        `${String(checked.length - bad.length)} of ${String(checked.length)} open sagas go on with this build`,
      ]
      context.print(flags.json ?? false, lines, { checked })
      if (bad.length > 0) context.end(exitCodes.no)
    },
  )
  addSagaExport(saga, context)
  addSagaDecisions(saga, context)
}

function isOpen({ view }: KeptSaga): boolean {
  return !view || !['completed', 'compensated', 'aborted'].includes(view.status)
}

function formatNone({ data, of, open = false }: StoreFlags & { readonly open?: boolean }): string {
  return `no ${open ? 'open ' : ''}sagas${of === undefined ? '' : ` of ${of}`} in ${data}`
}

function formatKept(context: CliContext, { agent, id, view, error }: KeptSaga): string {
  if (view) return formatSagaLine(context, agent, view)
  return `${context.paint.red('unreadable ')} ${agent}  ${id}  ${error?.code ?? ''}: ${error?.message ?? ''}`
}

function describeKept({ agent, id, view, error }: KeptSaga): unknown {
  return { agent, id, ...(view && { view }), ...(error && { code: error.code, message: error.message }) }
}

interface VersionCount {
  readonly definition: string
  readonly fingerprint: string
  readonly open: number
}

function countVersions(sagas: readonly KeptSaga[]): readonly VersionCount[] {
  const counts = new Map<string, VersionCount>()
  for (const { events } of sagas) {
    const first = events[0]?.event
    if (first?.type !== 'started') continue
    const { name, version, fingerprint } = first.definition
    const definition = `${name}@${String(version)}`
    const key = `${definition} ${fingerprint}`
    counts.set(key, { definition, fingerprint, open: (counts.get(key)?.open ?? 0) + 1 })
  }
  return [...counts.values()].toSorted((left, right) => (left.definition < right.definition ? -1 : 1))
}

type CheckVerdict = 'ok' | 'saga.version-unknown' | 'saga.version-conflict' | 'unreadable'

function check({ events }: KeptSaga, definitions: Awaited<ReturnType<typeof loadDefinitions>>): CheckVerdict {
  const first = events[0]?.event
  if (first?.type !== 'started') return 'unreadable'
  const { name, version, fingerprint } = first.definition
  const known = definitions.find((one) => one.name === name && one.version === version)
  if (!known) return 'saga.version-unknown'
  return known.fingerprint === fingerprint ? 'ok' : 'saga.version-conflict'
}
