import type { MeshNode } from '@parley/mesh'

/** What running sagas needs of a node. */
export type SagaNode = Pick<
  MeshNode,
  | 'name'
  | 'owner'
  | 'instance'
  | 'clock'
  | 'random'
  | 'logger'
  | 'store'
  | 'tryCall'
  | 'providers'
  | 'record'
  | 'onOutcome'
>
