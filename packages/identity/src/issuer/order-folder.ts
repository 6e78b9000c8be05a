import { mkdir, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Random } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { createAnchors } from '../credential/anchor.ts'
import { createOrderBook, type OrderBook } from '../order/order-book.ts'
import { type OrderKind, type OrderTerms, signNextOrder } from '../order/order.ts'
import { createDurableFile, errnoOf, syncFolder } from '../key/durable-file.ts'
import { type IssuerFolder, openOwner, readAnchor, unavailable } from './issuer-folder.ts'

const folderName = 'orders'
const filePattern = /^\d{8}\.jwt$/

/** The orders of an issuer's folder. */
export interface OrderFolder {
  /**
   * Returns them, first to last, held against each other: signed by the owner, numbered without gaps, each naming the one
   * before. Looks into the folder each time and checks what came since. Rejects with the code of the first that does not
   * hold.
   */
  load(): Promise<readonly string[]>
  /**
   * Keeps the owner's next order under its number, durably and once, if it holds against those before: nothing that `load`
   * would refuse is kept. Rejects as `load`, with the code that every node would refuse it with, and with
   * `identity.order-forked` if the number was given meanwhile, and `identity.issuer-unavailable` if it cannot be written.
   */
  append(order: string, sequence: number): Promise<void>
}

interface Checked {
  readonly book: OrderBook
  readonly names: string[]
  readonly orders: string[]
}

/** Opens the orders of an issuer's folder. A file is written once, so one that was checked is not read again. */
export function openOrderFolder(folder: IssuerFolder & { readonly random: Random }): OrderFolder {
  const dir = join(folder.dir, folderName)
  const list = async (): Promise<readonly string[]> => {
    const names = await readdir(dir).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return []
      throw unavailable(`${dir} cannot be read`, cause)
    })
    return names.filter((one) => filePattern.test(one)).sort()
  }
  let checked: Checked | undefined
  let turn: Promise<unknown> = Promise.resolve()
  const check = async (): Promise<Checked> => {
    const names = await list()
    // Files that are gone, or came before others that were checked, make another history.
    const isSame = checked?.names.every((name, at) => name === names[at]) ?? false
    const known =
      checked && isSame
        ? checked
        : { book: createOrderBook({ anchors: createAnchors([await readAnchor(folder.dir)]) }), names: [], orders: [] }
    for (const name of names.slice(known.names.length)) {
      const order = (await readFile(join(dir, name), 'utf8')).trimEnd()
      const verdict = known.book.accept(order, folder.clock.now())
      if (verdict.kind === 'deny') throw new MeshError(verdict.code, `${join(dir, name)}: ${verdict.reason}`)
      known.names.push(name)
      known.orders.push(order)
    }
    checked = known
    return known
  }
  const append = async (order: string, sequence: number): Promise<void> => {
    const known = await check()
    const name = `${String(sequence).padStart(8, '0')}.jwt`
    if (known.names.length >= sequence) throw writtenMeanwhile(join(dir, name))
    // The book takes in what denies at once, also from an order that is then not kept.
    checked = undefined
    const verdict = known.book.accept(order, folder.clock.now())
    if (verdict.kind === 'deny') throw new MeshError(verdict.code, `${verdict.reason}; the order was not kept`)
    await keepOrder(dir, name, order, folder.random)
    known.names.push(name)
    known.orders.push(order)
    checked = known
  }
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work)
    turn = next.catch(() => undefined)
    return next
  }
  return {
    load: () => inTurn(async () => (await check()).orders.slice()),
    append: (order, sequence) => inTurn(() => append(order, sequence)),
  }
}

/** Reads the orders of an issuer's folder once. Rejects as `OrderFolder.load`. */
export function readOrders(folder: IssuerFolder & { readonly random: Random }): Promise<readonly string[]> {
  return openOrderFolder(folder).load()
}

/**
 * Signs the owner's next order and keeps it in `orders/`, one file a number, written once: of two at the same time one is
 * refused with `identity.order-forked`, and no number is given twice. Needs `owner.key`. Rejects as `signOrder`,
 * `OrderFolder.append` and `openOwner` do.
 */
export async function appendOrder(
  folder: IssuerFolder & { readonly random: Random },
  kind: OrderKind,
  subject: string,
  terms: OrderTerms = {},
): Promise<{ readonly sequence: number; readonly order: string }> {
  const kept = openOrderFolder(folder)
  const orders = await kept.load()
  const sequence = orders.length + 1
  const draft = { kind, subject, ...terms, issuedAtMs: folder.clock.now() }
  const order = await signNextOrder(await openOwner(folder), orders, draft)
  await kept.append(order, sequence)
  return { sequence, order }
}

async function keepOrder(dir: string, name: string, order: string, random: Random): Promise<void> {
  const path = join(dir, name)
  try {
    if ((await mkdir(dir, { recursive: true, mode: 0o755 })) !== undefined) await syncFolder(dirname(dir))
    await createDurableFile(path, `${order}\n`, { random, mode: 0o644 })
  } catch (cause) {
    throw errnoOf(cause) === 'EEXIST' ? writtenMeanwhile(path, cause) : unavailable(`${path} cannot be written`, cause)
  }
}

function writtenMeanwhile(path: string, cause?: unknown): MeshError {
  return new MeshError('identity.order-forked', `${path} was written meanwhile; run it again`, { cause })
}
