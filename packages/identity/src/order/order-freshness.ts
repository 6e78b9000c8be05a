import { type Risk } from '@parley/protocol'

/** For how long an owner's last word on its orders is good enough, by risk, in milliseconds. */
export type OrderStaleness = Readonly<Record<Risk, number>>

/** Fifteen minutes to read, five to do what can be undone, half a minute for what cannot. */
export const defaultOrderStaleness: OrderStaleness = {
  read: 900_000,
  reversible: 300_000,
  irreversible: 30_000,
  administrative: 30_000,
}
