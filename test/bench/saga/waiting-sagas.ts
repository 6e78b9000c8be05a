import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { localIssuer } from '@parley/mesh'
import { openPost, openWaitingDesk, waitingSaga, type WaitingDesk } from './waiting-desk.ts'

/** What sagas cost that wait, and how fast they wake. */
export interface WaitingFigures {
  readonly sagas: number
  /** Growth of the process while they were started and waited, after collection. */
  readonly residentBytes: number
  readonly usedBytes: number
  /** From the call of `signal` to the arrival of the next step's command at its participant, in milliseconds. */
  readonly wakeP50Ms: number
  readonly wakeP99Ms: number
  readonly wakeMaxMs: number
  /** How many took longer than 50 ms. */
  readonly late: number
  readonly woken: number
}

/** How many starts are under way at the same time. */
const startsAtOnce = 256

/**
 * Starts `count` sagas that wait for a signal, and wakes `woken` of them at random, one after the other. The process has to
 * be one of its own: its memory is what is measured.
 */
export async function measureWaitingSagas(
  folder: string,
  count: number,
  woken: number,
  log: (line: string) => void = () => undefined,
): Promise<WaitingFigures> {
  const mesh = localIssuer('acme')
  let heard = (_to: string): void => undefined
  await using _post = await openPost(mesh, (to) => {
    heard(to)
  })
  await using desk = await openWaitingDesk(mesh, folder, 'desk', { concurrency: count, maxBacklog: count })
  // A real instance looks for orphans now and then, too.
  await desk.sagas.resume()
  await startWaiting(desk, 'warm', 1_000)
  const before = readMemory()
  await startWaiting(desk, 't', count)
  const after = readMemory()
  log(`${String(count)} sagas wait`)
  const times: number[] = []
  for (const id of draw(count, woken)) {
    const arrived = new Promise<void>((resolve) => {
      heard = (to) => {
        if (to === `t-${String(id)}`) resolve()
      }
    })
    const startMs = performance.now()
    const run = await desk.sagas.attach(`t-${String(id)}`)
    const verdict = await run.signal('word', { say: 'now' })
    if (verdict.kind === 'deny') throw new Error(`${verdict.code}: ${verdict.reason}`)
    await arrived
    times.push(performance.now() - startMs)
    if ((await run.settled()).status !== 'completed') throw new Error(`${run.id} did not complete`)
  }
  const sorted = times.toSorted((left, right) => left - right)
  return {
    sagas: count,
    residentBytes: after.rss - before.rss,
    usedBytes: after.used - before.used,
    wakeP50Ms: sorted[Math.floor(sorted.length / 2)] ?? 0,
    wakeP99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    wakeMaxMs: sorted.at(-1) ?? 0,
    late: sorted.filter((ms) => ms > 50).length,
    woken: times.length,
  }
}

async function startWaiting({ sagas }: WaitingDesk, prefix: string, count: number): Promise<void> {
  let next = 0
  const startSome = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const id = `${prefix}-${String(at)}`
      await sagas.start(waitingSaga, { to: id }, { id })
    }
  }
  await Promise.all(Array.from({ length: startsAtOnce }, startSome))
}

/** Draws different numbers below `count`. */
function draw(count: number, many: number): ReadonlySet<number> {
  const drawn = new Set<number>()
  while (drawn.size < Math.min(count, many)) drawn.add(Math.floor(Math.random() * count))
  return drawn
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: object) => void

function readMemory(): { readonly used: number; readonly rss: number } {
  for (let time = 0; time < 2; time++) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  const { heapUsed, external, rss } = process.memoryUsage()
  return { used: heapUsed + external, rss }
}
