import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs'

/** A mistake in a text, at an offset of it in UTF-16 code units. */
export interface CedarFault {
  readonly offset: number
  readonly problem: string
}

/** Translates what Cedar says of a text, whose offsets count bytes of UTF-8. */
export function faultsOf(errors: readonly DetailedError[], text: string): readonly CedarFault[] {
  return errors.flatMap((error) => {
    const [place] = error.sourceLocations ?? []
    const hint = error.help ?? place?.label
    const problem = `${error.message}${hint === null || hint === undefined ? '' : ` (${hint})`}`
    return [{ offset: charactersBefore(text, place?.start ?? 0), problem }, ...faultsOf(error.related ?? [], text)]
  })
}

function charactersBefore(text: string, bytes: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, bytes)).length
}
