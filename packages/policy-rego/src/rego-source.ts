/** Rego that was compiled to WebAssembly: an OPA bundle (`.tar.gz`), or the module alone (`.wasm`). */
export interface RegoSource {
  /** What mistakes are reported under; nothing is read from it. */
  readonly file: string
  readonly bytes: Uint8Array
}
