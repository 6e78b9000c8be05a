import type { JournaledEvent, SagaView } from '@parley/saga'
import type { CliContext } from './cli-context.ts'
import { drawTimeline, timelineLegend } from './draw-timeline.ts'

/** Formats one line about a saga. */
export function formatSagaLine({ paint }: CliContext, agent: string, view: SagaView): string {
  const { id, definition, status, waiting } = view
  const colour =
    status === 'completed' ? paint.green : status === 'stuck' || status === 'aborted' ? paint.red : paint.yellow
  const what = waiting ? ` for ${waiting.for}${waiting.step === undefined ? '' : ` at ${waiting.step}`}` : findWhy(view)
  return `${colour(status.padEnd(11))} ${agent}  ${id}  ${definition.name}@${String(definition.version)}${what}`
}

/** Why a saga needs a person, or goes back. */
function findWhy({ status, steps, turned }: SagaView): string {
  if (status === 'undoing') return turned ? ` after ${turned.code}` : ''
  if (status !== 'stuck') return ''
  const stuck = Object.entries(steps).filter(([, step]) => step.status === 'stuck')
  return stuck.map(([name, { code }]) => ` at ${name}${code === undefined ? '' : ` (${code})`}`).join(',')
}

/** Formats a saga with its timeline and every event. */
export function formatSaga(
  context: CliContext,
  agent: string,
  view: SagaView,
  events: readonly JournaledEvent[],
): readonly string[] {
  const { paint } = context
  const startMs = events[0]?.atMs ?? 0
  return [
    formatSagaLine(context, agent, view),
    ...(view.turned
      ? [`  on its way back: ${view.turned.code}${view.turned.reason ? `, ${view.turned.reason}` : ''}`]
      : []),
    ...(view.waiting?.approval
      ? [`  asks for approval ${view.waiting.approval.id}, digest ${view.waiting.approval.digest}`]
      : []),
    '',
    ...drawTimeline(events).map((line) => `  ${line}`),
    paint.dim(`  ${timelineLegend}`),
    '',
    ...events.map((entry) => `  ${formatEvent(entry, startMs)}`),
  ]
}

function formatEvent({ position, atMs, event }: JournaledEvent, startMs: number): string {
  const after = `+${((atMs - startMs) / 1_000).toFixed(3)}s`
  const facts = [
    'step' in event ? event.step : 'wait' in event ? event.wait : undefined,
    'provider' in event ? event.provider : undefined,
    'code' in event ? event.code : undefined,
    event.type === 'receipt' ? `${event.phase} signed by ${String(event.answer.header['from'])}` : undefined,
    'instance' in event ? `${event.instance} epoch ${String(event.epoch)}` : undefined,
    event.type === 'decided'
      ? `${event.decision}${event.about === undefined ? '' : ` ${event.about}`} by ${event.by}: ${JSON.stringify(event.reason)}`
      : undefined,
  ].filter((fact) => fact !== undefined)
  return `${String(position).padStart(4)} ${after.padStart(10)}  ${event.type.padEnd(16)} ${facts.join('  ')}`.trimEnd()
}
