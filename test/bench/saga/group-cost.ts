import { createNode, defineContract, localIssuer } from '@parley/mesh'
import {
  createSagas,
  defineSaga,
  foldSaga,
  parallel,
  step,
  withLocalSteps,
  type SagaEvent,
  type SagaState,
} from '@parley/saga'
import { z } from 'zod'

/** What an event of a wide group costs. */
export interface GroupCost {
  readonly branches: number
  readonly events: number
  /** Microseconds to take one event into the state of the saga: the machines of step, sequence and life. */
  readonly foldUs: number
  /** Microseconds of processor time for one event of a saga that runs, all in all. */
  readonly runUs: number
}

const marks = defineContract('marks', {
  make: { input: z.object({ at: z.int() }), output: z.object({ at: z.int() }), risk: 'read' },
})

/** Runs a group of so many local steps, and folds what it did again and again. */
export async function measureGroup(branches: number): Promise<GroupCost> {
  await using node = await createNode({ name: 'bench/desk', issuer: localIssuer('bench') })
  await node.start()
  const wide = defineSaga(
    'wide',
    { version: 1, input: z.object({}) },
    parallel(
      'all',
      Array.from({ length: branches }, (_, at) => step(`s${String(at)}`, { do: marks.make, input: () => ({ at }) })),
    ),
  )
  const here = withLocalSteps(node, marks, { make: ({ at }) => ({ at }) })
  await using sagas = createSagas(here, { definitions: [wide] })
  let events: readonly SagaEvent[] = []
  const runOne = async (id: string): Promise<void> => {
    const run = await sagas.start(wide, {}, { id })
    await run.result()
    const { events: journaled } = await sagas.show(id)
    events = journaled.map(({ event }) => event)
  }
  for (let time = 0; time < warmUps; time++) await runOne(`warm-${String(time)}`)
  const runUs = await timeCpu(async () => {
    for (let time = 0; time < times; time++) await runOne(`t-${String(time)}`)
  })
  const foldUs = await timeCpu(() => {
    for (let time = 0; time < times; time++) fold(events)
  })
  const all = times * events.length
  return { branches, events: events.length, foldUs: round(foldUs / all), runUs: round(runUs / all) }
}

const warmUps = 10
const times = 30

/** One event at a time, as they come. */
function fold(events: readonly SagaEvent[]): void {
  let state: SagaState | undefined
  for (const event of events) state = foldSaga([event], state)
}

async function timeCpu(work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
