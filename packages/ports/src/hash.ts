/** Computes SHA-256 (FIPS 180-4) over the concatenation of its parts; returns 32 bytes. */
export type Hash = (...parts: readonly Uint8Array[]) => Uint8Array
