import { createNode, type MeshNode } from '@parley/mesh'
import type { Transport } from '@parley/ports'
import { flights } from './flights.ts'
import { openOwner, readAnchor } from './owner.ts'

/** Opens the agent of globex that sells seats. It accepts acme, since it was given acme's anchor. */
export async function openPlanes(
  folder: string,
  bus: { readonly nats: string } | { readonly transport: Transport },
): Promise<MeshNode> {
  const issuer = await openOwner(folder, 'globex')
  const anchors = [issuer.anchor, await readAnchor(folder, 'acme')]
  const planes = await createNode({ name: 'globex/planes', issuer, anchors, serves: [flights], ...bus })
  planes.serve(flights, {
    reserve: ({ to }, hop) =>
      to === 'LAX' ? hop.decline('sold-out', { next: 'SFO' }) : { seat: `12A to ${to} for ${hop.caller.name}` },
  })
  await planes.start()
  return planes
}
