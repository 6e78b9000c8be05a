import { renderChainVectors } from './chain-vectors.ts'
import { renderCredentialVectors } from './credential-vectors.ts'
import { renderDeclarationVectors } from './declaration-vectors.ts'
import { renderEvidenceVectors } from './evidence-vectors.ts'
import { renderFrameVectors } from './frame-vectors.ts'
import { renderTranscript } from './handshake-vectors.ts'
import { renderJoinVectors } from './join-vectors.ts'
import { renderOrderVectors } from './order-vectors.ts'
import { renderSubjectVectors } from './subject-vectors.ts'

/** Writes all files of protocol/vectors, by name. The same every time: seeds, salts and the clock are fixed. */
export async function renderVectorFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['chains.json', await renderChainVectors()],
    ['credentials.json', await renderCredentialVectors()],
    ['declarations.json', await renderDeclarationVectors()],
    ['evidence.json', await renderEvidenceVectors()],
    ['frames.json', await renderFrameVectors()],
    ['handshake.json', await renderTranscript()],
    ['joins.json', await renderJoinVectors()],
    ['orders.json', await renderOrderVectors()],
    ['subjects.json', renderSubjectVectors()],
  ])
}
