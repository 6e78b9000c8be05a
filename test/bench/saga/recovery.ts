import { localIssuer } from '@parley/mesh'
import { openPost, openWaitingDesk, postingSaga } from './waiting-desk.ts'

/** How an instance takes over what another one left. */
export interface RecoveryFigures {
  readonly orphans: number
  /** Until every orphan was taken over. */
  readonly adoptedMs: number
  /** Until every one of them had ended. */
  readonly endedMs: number
  /** Most commands that were at their participant at the same time: what the storm was. */
  readonly storm: number
}

/** Leaves `orphans` sagas behind that have something to do, and has another instance of the name take them over. */
export async function measureRecovery(
  folder: string,
  orphans: number,
  log: (line: string) => void = () => undefined,
): Promise<RecoveryFigures> {
  const mesh = localIssuer('acme')
  const ids = Array.from({ length: orphans }, (_, at) => `t-${String(at)}`)
  {
    // Nobody serves the step yet: every saga stops where its command could not be sent.
    await using first = await openWaitingDesk(mesh, folder, 'first', { concurrency: 1, maxBacklog: orphans })
    await Promise.all(ids.map((id) => first.sagas.start(postingSaga, { to: id }, { id })))
  }
  log(`${String(orphans)} sagas are left`)
  let atOnce = 0
  let storm = 0
  await using _post = await openPost(mesh, () => {
    storm = Math.max(storm, ++atOnce)
    setImmediate(() => atOnce--)
  })
  await using second = await openWaitingDesk(mesh, folder, 'second')
  const startMs = performance.now()
  const { adopted, stopped } = await second.sagas.resume()
  const adoptedMs = performance.now() - startMs
  if (adopted.length !== orphans || stopped.length > 0) throw new Error(`${String(adopted.length)} were taken over`)
  for (const id of ids) {
    const { status } = await (await second.sagas.attach(id)).settled()
    if (status !== 'completed') throw new Error(`${id} is ${status}`)
  }
  return { orphans, adoptedMs, endedMs: performance.now() - startMs, storm }
}
