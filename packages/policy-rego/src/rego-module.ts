import { opa, wasm as api, type OpaPolicy, type WasmModule } from './opa-library.ts'
import { BundleFault, type RegoBundle } from './rego-bundle.ts'

/** How much memory a module may have: 512 pages of 64 KiB. What needs more throws, which denies. */
const memory = { initial: 5, maximum: 512 } as const

/** What OPA's compiler gives every module, and what is called of it. */
const neededExports: readonly string[] = [
  'builtins',
  'entrypoints',
  'opa_eval',
  'opa_heap_ptr_get',
  'opa_heap_ptr_set',
  'opa_json_dump',
  'opa_json_parse',
  'opa_malloc',
  'opa_wasm_abi_version',
  'opa_wasm_abi_minor_version',
]

/**
 * Built-in functions that the host may run: pure, and of bounded time. Others of the library are JavaScript's regular
 * expressions and YAML; those that it does not have (time, http, tokens) would make a decision that nobody can repeat.
 */
const allowedBuiltins: ReadonlySet<string> = new Set(['sprintf', 'json.is_valid'])

/** A compiled module that answers. */
export interface RegoModule {
  /** The path of the package that decides, with `/`. */
  readonly entrypoint: string
  /** Whether the text stands in the module: a rule of this name can only be there if it does. */
  mentions(word: string): boolean
  /** Evaluates the entrypoint; undefined if it has no result. Throws whatever the module throws. */
  evaluate(input: unknown): unknown
}

/**
 * Compiles the module of a bundle and looks at what it needs. Throws `BundleFault` for one that is not of OPA, has no
 * entrypoint that decides, or calls functions that are not allowed.
 *
 * I1 After a throw the instance is not used again: a trap may leave its memory in the middle of something.
 */
export function compileRegoModule({ wasm, data }: RegoBundle, wanted: string | undefined): RegoModule {
  const module = compile(wasm)
  const exported = new Set(api.Module.exports(module).map(({ name }) => name))
  const missing = neededExports.find((name) => !exported.has(name))
  if (missing !== undefined) throw new BundleFault(`the module was not made by OPA: it has no ${missing}`)
  const instantiate = (): OpaPolicy => {
    const policy = opa.loadPolicySync(module, { ...memory })
    policy.setData(data)
    return policy
  }
  let current: OpaPolicy | undefined = start(instantiate)
  const entrypoint = chooseEntrypoint(namesOf(current.entrypoints), wanted)
  const refused = Object.keys(readBuiltins(current)).filter((name) => !allowedBuiltins.has(name))
  if (refused.length > 0) {
    throw new BundleFault(
      `the module calls ${refused.join(', ')}, which is refused: what it may know is in input (the time is input.time.nowMs), and regex.match and regex.find_all_string_submatch_n are part of the module`,
    )
  }
  return {
    entrypoint,
    mentions: (word) => includes(wasm, new TextEncoder().encode(word)),
    evaluate(input) {
      const policy = current ?? instantiate()
      current = undefined
      const results: unknown = policy.evaluate(input, entrypoint)
      current = policy
      const [first] = Array.isArray(results) ? (results as readonly unknown[]) : []
      return typeof first === 'object' && first !== null && 'result' in first ? first.result : undefined
    },
  }
}

function compile(wasm: Uint8Array<ArrayBuffer>): WasmModule {
  try {
    return new api.Module(wasm)
  } catch (error) {
    throw new BundleFault(
      `the module is not whole: ${error instanceof Error ? error.message : 'it does not compile'}`,
      {
        cause: error,
      },
    )
  }
}

function start(instantiate: () => OpaPolicy): OpaPolicy {
  try {
    return instantiate()
  } catch (error) {
    // The library throws texts, too.
    const why = error instanceof Error ? error.message : String(error)
    throw new BundleFault(`the module does not start: ${why}`, { cause: error })
  }
}

/** A package has entrypoints for its rules, too; the package itself is the one above all others. */
function chooseEntrypoint(names: readonly string[], wanted: string | undefined): string {
  if (names.length === 0) throw new BundleFault('the module has no entrypoint: build it with -e <package>')
  const chosen =
    wanted === undefined
      ? names.find((name) => names.every((other) => other === name || other.startsWith(`${name}/`)))
      : names.find((name) => name === wanted)
  if (chosen !== undefined) return chosen
  const listed = names.toSorted().join(', ')
  throw new BundleFault(
    wanted === undefined
      ? `the module has several packages, say which decides: ${listed}`
      : `the module has no entrypoint ${wanted}: there are ${listed}`,
  )
}

/** Reads which functions of the host the module calls, by name. */
function readBuiltins({ wasmInstance, mem }: OpaPolicy): object {
  const { exports } = wasmInstance
  const address = callExport(exports, 'opa_json_dump', callExport(exports, 'builtins'))
  const bytes = new Uint8Array(mem.buffer)
  const text = new TextDecoder().decode(bytes.subarray(address, bytes.indexOf(0, address)))
  const builtins: unknown = JSON.parse(text)
  return typeof builtins === 'object' && builtins !== null ? builtins : {}
}

function callExport(exports: OpaPolicy['wasmInstance']['exports'], name: string, ...values: readonly number[]): number {
  const called = exports[name]
  if (typeof called !== 'function') throw new BundleFault(`the module was not made by OPA: it has no ${name}`)
  return Number((called as (...given: readonly number[]) => unknown)(...values))
}

function namesOf(entrypoints: unknown): readonly string[] {
  return typeof entrypoints === 'object' && entrypoints !== null ? Object.keys(entrypoints) : []
}

function includes(bytes: Uint8Array, word: Uint8Array): boolean {
  const [first = 0] = word
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (word.every((byte, index) => bytes[at + index] === byte)) return true
  }
  return false
}
