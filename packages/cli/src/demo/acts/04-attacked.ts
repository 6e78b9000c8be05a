import type { Act } from '../act.ts'
import type { Cast } from '../cast.ts'
import { readStoreEvidence } from '../proof/store-evidence.ts'
import { listChanged, readAllBooks } from '../proof/all-books.ts'
import { list } from '../proof/list.ts'

/** Whoever runs the broker, without a credential, replays, forges and redirects what went over it. */
export const attacked: Act = {
  name: '4 the broker is run by an attacker',
  async perform({ cast }) {
    const { attacker, flights, hotels } = cast
    const before = readAllBooks(cast)
    const trustBefore = await readTrust(cast)
    const rejections = flights.records.filter(({ kind }) => kind === 'rejected').length
    const replayed = await attacker.run('replay')
    await flights.until('a replay', (record) => record['leaf'] === replayed && record['code'] === 'iatp.replayed')
    const redirected = await attacker.run('readdress')
    await hotels.until('a redirected envelope', (record) => record['leaf'] === redirected)
    await attacker.run('forge')
    await flights.until('a forgery', ({ kind, seq }) => {
      const known = flights.records.filter((record) => record.kind === 'rejected')[rejections]
      return kind === 'rejected' && seq === known?.seq
    })
    const { records: atFlights } = await readStoreEvidence(flights)
    const { records: atHotels } = await readStoreEvidence(hotels)
    const replay = atFlights.findLast(({ leaf }) => leaf === replayed)
    const redirect = atHotels.find(({ leaf }) => leaf === redirected)
    const forgery = atFlights.findLast(({ kind }) => kind === 'rejected')
    const delivered = [...atFlights, ...atHotels].filter(
      (record) => (record['leaf'] === replayed || record['leaf'] === redirected) && record['outcome'] === 'ok',
    )
    return [
      {
        expected: 'replayed: refused iatp.replayed',
        seen: `replayed: ${String(replay?.['outcome'])} ${String(replay?.['code'])}`,
      },
      { expected: 'forged: identity.signature-invalid=1', seen: `forged: ${String(forgery?.['codes'])}` },
      {
        expected: 'redirected: refused iatp.misaddressed',
        seen: `redirected: ${String(redirect?.['outcome'])} ${String(redirect?.['code'])}`,
      },
      {
        expected: 'the captured request was served once',
        seen: `the captured request was served ${delivered.length === 1 ? 'once' : `${delivered.length} times`}`,
      },
      {
        expected: `trust in acme/concierge: ${trustBefore}`,
        seen: `trust in acme/concierge: ${await readTrust(cast)}`,
      },
      { expected: 'books changed: nothing', seen: `books changed: ${list(listChanged(before, readAllBooks(cast)))}` },
    ]
  },
}

/** Reads what the two attacked agents hold of the one whose name was abused. */
async function readTrust({ flights, hotels, ownerOf }: Cast): Promise<string> {
  const peer = `${ownerOf('acme/concierge')} acme/concierge`
  const views = (await Promise.all([flights, hotels].map(readStoreEvidence))).map(({ trustIn }) => trustIn(peer))
  return list(views.map(({ score, evidenceCount }) => `${score} from ${evidenceCount}`))
}
