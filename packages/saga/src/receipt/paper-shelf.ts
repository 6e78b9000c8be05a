import type { KeyValue } from '@parley/ports'
import { isMeshError, type AgentName } from '@parley/protocol'
import { formatPaperKey, hashPaper, type Paper } from './paper.ts'

/** Keeps papers in the store of an agent's sagas, each once. */
export interface PaperShelf {
  /** Resolves with the paper's name once it is durable; at once where it is known to be. */
  keep(paper: Paper): string | Promise<string>
}

/** Papers that are known to be kept: beyond it one is written a second time, which changes nothing. */
const maxKnown = 4_096

/** Creates the shelf of an agent. */
export function createPaperShelf(name: AgentName, keyValue: KeyValue): PaperShelf {
  /** Names by credential: a token is longer than it is worth to hash for each command. */
  const known = new Map<string, string>()
  const put = async ({ credential, statement }: Paper, hash: string): Promise<string> => {
    try {
      await keyValue.put(formatPaperKey(name, hash), Buffer.from(JSON.stringify({ credential, statement })), 0)
    } catch (error) {
      // Somebody kept it before: under its hash it is the same.
      if (!isMeshError(error) || error.code !== 'store.revision-conflict') throw error
    }
    known.set(credential, hash)
    const [oldest] = known.keys()
    if (known.size > maxKnown && oldest !== undefined) known.delete(oldest)
    return hash
  }
  return {
    keep(paper) {
      // Whoever shows one credential with two statements is shown with the first: either proves who it was.
      const hash = known.get(paper.credential)
      return hash ?? put(paper, hashPaper(paper))
    },
  }
}
