import { createNode, defineContract, type LocalMesh } from '@parley/mesh'
import { createSagas, defineSaga, shareSagas, signal, step, wait, type Sagas, type SagasOptions } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { z } from 'zod'

const letters = defineContract('letters', {
  post: { input: z.object({ to: z.string() }), output: z.object({ posted: z.boolean() }), risk: 'read' },
})

/** Waits for a word, however long, and posts a letter then. */
export const waitingSaga = defineSaga(
  'waiting',
  { version: 1, input: z.object({ to: z.string() }) },
  wait('word', signal(z.object({ say: z.string() }))),
  step('letter', { do: letters.post, to: ['acme/post'], input: ({ saga }) => ({ to: saga.to }) }),
)

/** Posts a letter, at once. */
export const postingSaga = defineSaga(
  'posting',
  { version: 1, input: z.object({ to: z.string() }) },
  step('letter', { do: letters.post, to: ['acme/post'], input: ({ saga }) => ({ to: saga.to }) }),
)

/** An instance of `acme/desk`: its sagas are in one file, its log in another. */
export interface WaitingDesk extends AsyncDisposable {
  readonly sagas: Sagas
}

/** Opens a desk over files in `folder`; `name` tells the files of its own from those of other instances. */
export async function openWaitingDesk(
  mesh: LocalMesh,
  folder: string,
  name: string,
  options: Partial<SagasOptions> = {},
): Promise<WaitingDesk> {
  const own = await openSqliteStore({ path: `${folder}/${name}.db` })
  const shared = await openSqliteStore({ path: `${folder}/sagas.db` })
  const store = shareSagas(own, shared)
  const node = await createNode({ name: 'acme/desk', issuer: mesh, store, calls: letters.capabilities })
  const sagas = createSagas(node, { definitions: [waitingSaga, postingSaga], ...options })
  await node.start()
  return {
    sagas,
    async [Symbol.asyncDispose]() {
      await sagas.close()
      await node.close()
      await store.close()
    },
  }
}

/** Serves the letters; `posted` is called as each arrives. */
export async function openPost(mesh: LocalMesh, posted: (to: string) => void): Promise<AsyncDisposable> {
  const node = await createNode({ name: 'acme/post', issuer: mesh, serves: [letters] })
  node.serve(letters, {
    post: {
      do({ to }) {
        posted(to)
        return { posted: true }
      },
    },
  })
  await node.start()
  return { [Symbol.asyncDispose]: () => node.close() }
}
