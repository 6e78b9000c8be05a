import { link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { createAnchors } from '../credential/anchor.ts'
import { createOrderBook, type OrderBook } from '../order/order-book.ts'
import { type OrderKind, type OrderTerms, signOrder } from '../order/order.ts'
import { type IssuerFolder, openOwner, readAnchor } from './issuer-folder.ts'

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
}

/** Opens the orders of an issuer's folder. A file is written once, so one that was checked is not read again. */
export function openOrderFolder(folder: IssuerFolder): OrderFolder {
  const dir = join(folder.dir, folderName)
  const list = async (): Promise<readonly string[]> => {
    const names = await readdir(dir).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return []
      throw new MeshError('identity.issuer-unavailable', `${dir} cannot be read`, { cause })
    })
    return names.filter((one) => filePattern.test(one)).sort()
  }
  let checked: { readonly book: OrderBook; readonly names: string[]; readonly orders: string[] } | undefined
  let turn: Promise<unknown> = Promise.resolve()
  const load = async (): Promise<readonly string[]> => {
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
    return known.orders.slice()
  }
  return {
    load() {
      const next = turn.then(load)
      turn = next.catch(() => undefined)
      return next
    },
  }
}

/** Reads the orders of an issuer's folder once. Rejects as `OrderFolder.load`. */
export function readOrders(folder: IssuerFolder): Promise<readonly string[]> {
  return openOrderFolder(folder).load()
}

/**
 * Signs the owner's next order and keeps it in `orders/`, one file a number, written once: of two at the same time one is
 * refused with `identity.order-forked`, and no number is given twice. Needs `owner.key`. Rejects as `signOrder`, `readOrders`
 * and `openOwner` do.
 */
export async function appendOrder(
  folder: IssuerFolder & { readonly random: Random },
  kind: OrderKind,
  subject: string,
  terms: OrderTerms = {},
): Promise<{ readonly sequence: number; readonly order: string }> {
  const orders = await readOrders(folder)
  const previous = orders.at(-1)
  const sequence = orders.length + 1
  const order = await signOrder(await openOwner(folder), {
    sequence,
    ...(previous === undefined ? {} : { previous }),
    kind,
    subject,
    ...terms,
    issuedAtMs: folder.clock.now(),
  })
  await keepOrder(folder, sequence, order)
  return { sequence, order }
}

/**
 * Keeps a signed order in `orders/` under its number, durably and once. Rejects with `identity.order-forked` if the number
 * was given meanwhile.
 */
export async function keepOrder(
  folder: IssuerFolder & { readonly random: Random },
  sequence: number,
  order: string,
): Promise<void> {
  const dir = join(folder.dir, folderName)
  await mkdir(dir, { recursive: true, mode: 0o755 })
  const path = join(dir, `${String(sequence).padStart(8, '0')}.jwt`)
  const draft = `${path}.${Buffer.from(folder.random.bytes(8)).toString('hex')}.tmp`
  const file = await open(draft, 'wx', 0o644)
  try {
    await file.writeFile(`${order}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(draft, path)
  } catch (cause) {
    throw new MeshError('identity.order-forked', `${path} was written meanwhile; run it again`, { cause })
  } finally {
    await unlink(draft)
  }
}
