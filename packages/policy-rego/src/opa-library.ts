import * as library from '@open-policy-agent/opa-wasm'

/** A module in the sense of the WebAssembly JavaScript Interface (W3C): compiled, without memory. */
export type WasmModule = object

/** What is used of that interface; TypeScript describes it for browsers only. */
interface WasmApi {
  readonly Module: {
    new (bytes: Uint8Array<ArrayBuffer>): WasmModule
    exports(module: WasmModule): readonly { readonly name: string }[]
  }
}

/** An instance of a policy, as far as it is used. */
export interface OpaPolicy {
  readonly mem: { readonly buffer: ArrayBuffer }
  readonly wasmInstance: { readonly exports: Readonly<Record<string, unknown>> }
  readonly entrypoints: unknown
  setData(data: object): void
  evaluate(input: unknown, entrypoint: string): unknown
}

interface OpaLibrary {
  loadPolicySync(module: WasmModule, memory: { initial: number; maximum: number }): OpaPolicy
}

/** Compiles and looks into WebAssembly. */
export const wasm: WasmApi = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly

/** The library itself: its types name the functions of the module, which has them on its default export. */
export const opa: OpaLibrary = (library as unknown as { readonly default: OpaLibrary }).default
