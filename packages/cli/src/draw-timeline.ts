import { foldSaga, type JournaledEvent, type SagaState } from '@parley/saga'

/** What a step or a wait looks like after an event. */
const marks: Readonly<Record<string, string>> = {
  planned: '·',
  executing: '>',
  accepted: '>',
  committed: '=',
  declined: 'x',
  refused: 'x',
  failed: 'x',
  unknown: '?',
  undoing: '<',
  undone: '-',
  skipped: ' ',
  waived: '~',
  stuck: '!',
  signalled: '*',
  open: 'w',
  met: '=',
  lapsed: 'x',
}

/** Explains the marks, for under a drawing. */
export const timelineLegend =
  '> under way  = done  x refused  ? unknown  < to be undone  - undone  ! stuck  w waits  ~ let stand'

const maxColumns = 64

/** Receipts and notes of what is about to leave stand beside facts, and are none. */
function changesSomething({ event }: JournaledEvent): boolean {
  return event.type !== 'receipt' && event.type !== 'sent'
}

/** Draws what each part of a saga went through, a column for each event, or for several where there are many. */
export function drawTimeline(events: readonly JournaledEvent[]): readonly string[] {
  const states: SagaState[] = []
  for (const { event } of events.filter(changesSomething)) states.push(foldSaga([event], states.at(-1)))
  const width = Math.ceil(states.length / maxColumns)
  const columns = states.filter((_, at) => (at + 1) % width === 0 || at === states.length - 1)
  const last = columns.at(-1)
  if (!last) return []
  const names = [...Object.keys(last.steps), ...Object.keys(last.waits)]
  const longest = Math.max(...names.map((name) => name.length))
  return names.map((name) => {
    const cells = columns.map((state) => {
      const step = state.steps[name]?.snapshot.value
      // On the way back nobody asks any more what became of it: it waits for its undo.
      if (step === 'unknown' && state.turned) return marks['undoing'] ?? '?'
      const status = step ?? state.waits[name]?.snapshot.value ?? 'planned'
      return marks[status] ?? '?'
    })
    return `${name.padEnd(longest)}  ${cells.join('')}`
  })
}
