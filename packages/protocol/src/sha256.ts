/** SHA-256 over the concatenation of its parts; the host supplies it (the port `Hash`). */
export type Sha256 = (...parts: readonly Uint8Array[]) => Uint8Array
