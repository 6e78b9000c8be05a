import {
  createAnchors,
  createKeySigner,
  createLocalIssuer,
  generateSeed,
  hashChain,
  type KeySigner,
  type LocalIssuer,
} from '@parley/identity'
import {
  createManualClock,
  createSeededRandom,
  systemHash,
  type IssuedCredential,
  type ManualClock,
} from '@parley/ports'
import {
  commitBody,
  createEvidence,
  frameSignedBytes,
  hashLeaf,
  suites,
  type AgentName,
  type CommandEnding,
} from '@parley/protocol'
import { planParts } from '../definition/plan-parts.ts'
import { step } from '../definition/step.ts'
import { openSagaJournal } from '../journal/saga-journal.ts'
import type { ReceiptEvent, SagaEvent } from '../kernel/saga-event.ts'
import { exportSaga, type ExportSagaOptions } from '../proof/export-saga.ts'
import { createPaperShelf } from '../receipt/paper-shelf.ts'
import { toSignedLine, type SignedLine } from '../receipt/signed-line.ts'
import { createMemoryStore } from './memory-store.fixture.ts'
import { trips } from './trip-contract.fixture.ts'

/** Somebody with a key and a credential. */
export interface Party {
  readonly signer: KeySigner
  readonly issued: IssuedCredential
}

type Fields = Readonly<Record<string, unknown>>

/** One command and its answer, sound but for what is replaced. */
export interface Act {
  readonly step?: string
  readonly phase?: 'do' | 'undo' | 'lookup'
  readonly attempt?: number
  readonly ended?: CommandEnding
  /** Header fields of the command, and of `saga` in it. */
  readonly command?: Fields
  readonly saga?: Fields
  readonly answer?: Fields
  readonly by?: Party
  readonly commander?: Party
  readonly output?: unknown
  readonly isMailed?: true
}

/** A journal that is written by hand, with all keys at hand: whatever liars could agree on can be made here. */
export interface SignedSaga {
  note(...events: readonly SagaEvent[]): Promise<void>
  /** Appends the receipt of a command that was really signed, and what follows from it. */
  act(act: Act, ...facts: readonly SagaEvent[]): Promise<void>
  export(options?: ExportSagaOptions): Promise<string>
}

/** An owner, its orchestrator `acme/travel` and two participants that serve the same. */
export interface SignedTown {
  readonly clock: ManualClock
  readonly acme: LocalIssuer
  readonly anchors: ReturnType<typeof createAnchors>
  readonly desk: Party
  readonly hotel: Party
  readonly inn: Party
  party(
    name: AgentName,
    more?: { readonly serves?: readonly string[]; readonly calls?: readonly string[]; readonly issuer?: LocalIssuer },
  ): Promise<Party>
  begin(started?: Fields, id?: string): Promise<SignedSaga>
}

const agent: AgentName = 'acme/travel'
const steps = [
  step('room', { do: trips.reserve, to: ['acme/hotel'], input: () => ({ what: 'room' }) }),
  step('car', { do: trips.reserve, to: ['acme/hotel'], input: () => ({ what: 'car' }) }),
]
const trace = '4'.repeat(32)
const id = (random: { bytes(length: number): Uint8Array }, bytes = 16): string => encode(random.bytes(bytes))

/** Opens the town. Its clock stands still; credentials hold for 15 minutes. */
export async function openSignedTown(): Promise<SignedTown> {
  const clock = createManualClock()
  const random = createSeededRandom(11)
  const acme = createLocalIssuer({ alias: 'acme', clock, random })
  const { capability, hash: contract } = trips.reserve
  const party: SignedTown['party'] = async (name, { serves = [], calls = [], issuer = acme } = {}) => {
    const signer = createKeySigner(generateSeed(random))
    return { signer, issued: await issuer.issue({ name, instance: signer.did, serves, calls }) }
  }
  const serving = { serves: [capability] }
  const town = {
    desk: await party(agent, { calls: [capability] }),
    hotel: await party('acme/hotel', serving),
    inn: await party('acme/inn', serving),
  }

  const sign = async (
    { signer, issued }: Party,
    header: Fields,
    body: unknown,
    papers: ReturnType<typeof createPaperShelf>,
  ): Promise<{ readonly line: SignedLine; readonly leaf: string; readonly salt: string }> => {
    const envelope = {
      header: Buffer.from(JSON.stringify(header)),
      body: Buffer.from(JSON.stringify(body)),
      salt: random.bytes(16),
    }
    const commitment = commitBody(systemHash, envelope.salt, envelope.body)
    const leaf = hashLeaf(systemHash, envelope.header, commitment)
    const signature = await signer.sign('iatp/1/frame', frameSignedBytes(systemHash, suites.ed25519Sha256, [leaf]))
    const frame = { suite: suites.ed25519Sha256, signature, envelopes: [{ ...envelope, leaf }] }
    const evidence = createEvidence(systemHash, frame, 0, { withBody: false })
    const line = toSignedLine(evidence, await papers.keep(issued), () => commitment)
    return { line, leaf: encode(leaf), salt: encode(envelope.salt) }
  }

  return {
    ...town,
    clock,
    acme,
    anchors: createAnchors([acme.anchor]),
    party,
    async begin(more = {}, saga = 'trip-1') {
      const store = createMemoryStore()
      const journal = openSagaJournal(store.journal, `saga/${agent}/${saga}`, { clock, random })
      const papers = createPaperShelf(agent, store.keyValue)
      const { delegation } = more as { readonly delegation?: readonly string[] }
      const started = {
        type: 'started',
        id: saga,
        owner: acme.owner,
        definition: { name: 'trip', version: 1, fingerprint: 'f' },
        plan: planParts(steps, { input: {} }),
        input: {},
        expiresAtMs: clock.now() + 600_000,
        trace,
        ...more,
      } as const
      await journal.append([started, { type: 'owned', instance: town.desk.signer.did, epoch: 1 }])
      return {
        async note(...events) {
          await journal.append(events)
        },
        async act(act, ...facts) {
          const { phase = 'do', attempt = 1, ended = 'ok', by = town.hotel, commander = town.desk } = act
          const name = act.step ?? 'room'
          const key = `${agent}/${saga}/${name}`
          const input = { what: name }
          if (phase === 'do' && act.attempt === undefined)
            await journal.append([
              { type: 'intended', step: name, attempt, epoch: 1, key, provider: 'acme/hotel', input },
            ])
          if (phase === 'undo') await journal.append([{ type: 'undo-intended', step: name, attempt, epoch: 1 }])
          const issuedAtMs = clock.now()
          const common = { mesh: 'main', issuedAtMs, expiresAtMs: issuedAtMs + 60_000 }
          const sagaHeader = {
            id: saga,
            step: name,
            attempt,
            epoch: 1,
            key,
            phase,
            journal: journal.head().hash,
            expiresAtMs: started.expiresAtMs,
            ...act.saga,
          }
          const command = await sign(
            commander,
            {
              type: 'request',
              id: id(random),
              from: commander.signer.did,
              to: by.signer.did,
              ...common,
              session: 's'.repeat(43),
              counter: 1,
              capability,
              contract,
              remainingMs: 1_000,
              traceparent: `00-${trace}-${'1'.repeat(16)}-01`,
              ...(delegation && phase === 'do' && { chain: hashChain(delegation), links: delegation }),
              saga: sagaHeader,
              ...act.command,
            },
            phase === 'do' ? input : {},
            papers,
          )
          const told = act.isMailed
            ? {
                type: 'outcome',
                to: 'a'.repeat(64),
                capability,
                contract,
                saga: sagaHeader,
                traceparent: `00-${trace}-${'2'.repeat(16)}-01`,
                credential: by.issued.credential,
                statement: by.issued.statement,
              }
            : { type: 'reply', to: commander.signer.did, session: 's'.repeat(43), counter: 1 }
          const committed = facts.find((fact) => fact.type === 'committed')
          const outcome = { outcome: { kind: 'ok', output: act.output ?? committed?.output }, record: 3 }
          const answer = await sign(
            by,
            { ...told, id: id(random), from: by.signer.did, ...common, inReplyTo: command.leaf, ended, ...act.answer },
            outcome,
            papers,
          )
          if (act.isMailed)
            await journal.append([
              { type: 'sent', step: name, phase, attempt, epoch: 1, leaf: command.leaf, instance: by.signer.did },
            ])
          const receipt: ReceiptEvent = {
            type: 'receipt',
            step: name,
            phase,
            attempt,
            ...(!act.isMailed && { command: command.line }),
            answer: answer.line,
            ...(committed && { opened: { command: { salt: command.salt }, answer: { salt: answer.salt, record: 3 } } }),
          }
          await journal.append([receipt, ...facts])
        },
        export: (options) => exportSaga(store, agent, saga, options),
      }
    },
  }
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
