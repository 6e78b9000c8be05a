import { createKeySigner, type KeySigner } from '@parley/identity'
import type { MeshNode } from '@parley/mesh'
import { createSeededRandom } from '@parley/ports'
import { formatInboxSubject, type InstanceDid } from '@parley/protocol'
import type { TestNodeOptions } from '@parley/testkit'
import { createRogue, type Rogue, type RogueEnvelope } from '../integration/rogue.ts'
import { openShop, shop, type ShopMesh } from '../integration/shop.ts'
import { measureImpact, type Impact } from './impact.ts'

/** A mesh with `acme/shop`, which is attacked, `acme/desk`, which calls it, and an attacker with a sound credential. */
export interface AttackLab extends ShopMesh {
  /** `acme/rogue`, which may look and buy, and has a session with the shop. */
  readonly rogue: Rogue
  readonly session: string
  /** The keys of the mesh's owner and its issuer, for tokens that an honest one would not sign. */
  readonly owner: KeySigner
  readonly issuerKey: KeySigner
  /** What was sold. */
  readonly effects: readonly string[]
  /** Lets an attack happen, and tells what it did to a node; by default the shop. */
  attack(act: () => unknown, victim?: MeshNode): Promise<Impact>
  /** A request for `shop:buy` as the attacker's node would make it. */
  buying(counter: number, header?: Readonly<Record<string, unknown>>): RogueEnvelope
  /** The same, as a signed frame for the shop. */
  frame(...envelopes: readonly RogueEnvelope[]): Promise<Uint8Array>
  /** The subject of what the attacker, or somebody else, sends to the shop. */
  inbox(from?: InstanceDid, to?: InstanceDid): string
}

/** Opens the lab. */
export async function openAttackLab(
  more: { readonly counter?: TestNodeOptions; readonly desk?: TestNodeOptions } = {},
): Promise<AttackLab> {
  const seed = 1
  const delivered: string[] = []
  const effects: string[] = []
  const deliver =
    <Output>(what: string, output: Output) =>
    (): Output => {
      delivered.push(what)
      return output
    }
  const open = await openShop(
    {
      look: deliver('look', { cents: 5 }),
      buy: {
        do({ item }) {
          delivered.push('buy')
          effects.push(`sold ${item}`)
          return { receipt: item }
        },
        undo: deliver('undo buy', undefined),
      },
      burn: deliver('burn', {}),
      wipe: deliver('wipe', {}),
    },
    { seed, ...more },
  )
  const { mesh, counter } = open
  // The mesh's random gives the owner's key first, then the issuer's.
  const drawn = createSeededRandom(seed)
  const [owner, issuerKey] = [createKeySigner(drawn.bytes(32)), createKeySigner(drawn.bytes(32))]
  if (owner.did !== mesh.issuer.owner || issuerKey.did !== mesh.issuer.issuer)
    throw new Error('the keys of the mesh are drawn in another order')
  const rogue = await createRogue(mesh, 'acme/rogue')
  const session = await rogue.shake(counter.instance)

  return {
    ...open,
    rogue,
    session,
    owner,
    issuerKey,
    effects,
    attack: (act, victim = counter) => measureImpact(mesh, victim, { delivered, effects }, act),
    buying: (number, header = {}) =>
      rogue.request(session, number, shop.buy, { header: { to: counter.instance, ...header }, body: { item: 'lamp' } }),
    frame: async (...envelopes) => (await rogue.frame(envelopes)).bytes,
    inbox: (from = rogue.did, to = counter.instance) => formatInboxSubject('main', to, from),
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}
