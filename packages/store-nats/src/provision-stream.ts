import { JetStreamApiCodes, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream'
import { MeshError } from '@parley/protocol'
import type { JetLink } from './jet-link.ts'
import { configureStream, listStreamHazards, type StreamChoices, type StreamLayout } from './stream-layout.ts'

/** Whether missing streams are made; one that exists is never changed, only checked. */
export type Provision = 'create' | 'verify'

/**
 * Finds a stream, or makes it, and checks that it keeps what it acknowledges. Rejects with `store.open-failed` where there
 * is none, and with `store.unsafe-config` where it would lose or change something.
 */
export async function provisionStream(
  link: JetLink,
  manager: JetStreamManager,
  version: string,
  layout: StreamLayout,
  choices: StreamChoices & { readonly provision: Provision },
): Promise<StreamInfo> {
  const info = (await findStream(link, manager, layout)) ?? (await makeStream(link, manager, version, layout, choices))
  const hazards = listStreamHazards(info.config, layout, choices)
  if (hazards.length === 0) return info
  throw new MeshError(
    'store.unsafe-config',
    `The stream ${layout.stream} would not keep what it acknowledges: ${hazards.join('; ')}.`,
    { details: { stream: layout.stream, hazards } },
  )
}

async function findStream(
  link: JetLink,
  manager: JetStreamManager,
  { stream }: StreamLayout,
): Promise<StreamInfo | undefined> {
  const untilMs = link.deadline()
  for (let attempt = 0; ; attempt++) {
    const given = await link.exchange(() => manager.streams.info(stream))
    if (given.kind === 'answered') return given.answer
    if (given.kind === 'refused' && given.code === JetStreamApiCodes.StreamNotFound) return undefined
    if (given.kind === 'refused') throw openFailed(stream, given.error.message)
    if (!(await link.pause(attempt, untilMs))) throw openFailed(stream, given.why)
  }
}

async function makeStream(
  link: JetLink,
  manager: JetStreamManager,
  version: string,
  layout: StreamLayout,
  choices: StreamChoices & { readonly provision: Provision },
): Promise<StreamInfo> {
  const { stream } = layout
  if (choices.provision === 'verify')
    throw openFailed(stream, 'there is no such stream; make it, or open the store with provision: create')
  const untilMs = link.deadline()
  for (let attempt = 0; ; attempt++) {
    const given = await link.exchange(() => manager.streams.add(configureStream(layout, choices, version)))
    if (given.kind === 'answered') return given.answer
    // Another instance may have made it meanwhile; a cluster that is still forming refuses for a while.
    const made = await findStream(link, manager, layout)
    if (made) return made
    if (!(await link.pause(attempt, untilMs)))
      throw openFailed(stream, given.kind === 'refused' ? given.error.message : given.why)
  }
}

function openFailed(stream: string, why: string): MeshError {
  return new MeshError('store.open-failed', `The stream ${stream} cannot be opened: ${why}.`, { details: { stream } })
}
