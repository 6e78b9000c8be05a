import { isMeshError } from '@parley/protocol'

/** Runs `action` and returns the code of the `MeshError` that it throws; undefined if it throws nothing. */
export function readThrownCode(action: () => void): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (isMeshError(error)) return error.code
    throw error
  }
}

/** Waits for `work` and returns the code of the `MeshError` that it rejects with; undefined if it resolves. */
export async function readRejectedCode(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (isMeshError(error)) return error.code
    throw error
  }
}
