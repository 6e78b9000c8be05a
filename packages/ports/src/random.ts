/** Supplies randomness. Keys and nonces come from here too, so a seeded run is the same run again. */
export interface Random {
  /** Returns `length` random bytes. */
  bytes(length: number): Uint8Array
  /** Returns a number in [0, 1). */
  float(): number
}
