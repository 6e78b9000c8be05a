import type { Act } from '../act.ts'
import { readStoreEvidence } from '../proof/store-evidence.ts'
import { listChanged, readAllBooks } from '../proof/all-books.ts'
import { list } from '../proof/list.ts'

/** The concierge asks for something outside of the delegation that it holds. */
export const undelegated: Act = {
  name: '3 outside the delegation',
  async perform({ cast }) {
    const before = readAllBooks(cast)
    await cast.concierge.run('upgrade', 'Vega')
    const after = readAllBooks(cast)
    const { records } = await readStoreEvidence(cast.concierge)
    const call = records.findLast((record) => record['capability'] === 'flights:upgrade')
    const { records: theirs } = await readStoreEvidence(cast.flights)
    const served = theirs.find((record) => record.kind === 'hop' && record['hop'] === call?.['hop'])
    const credential = cast.issued.findLast(({ name }) => name === 'acme/concierge')
    return [
      {
        expected: 'its credential grants flights:upgrade: true',
        seen: `its credential grants flights:upgrade: ${String(credential?.calls.includes('flights:upgrade'))}`,
      },
      {
        expected: 'refused: delegation.not-granted, sent: true',
        seen: `${String(call?.['outcome'])}: ${String(call?.['code'])}, sent: ${String(call?.['sent'])}`,
      },
      {
        expected: 'acme/flights recorded: refused at delegation',
        seen: `acme/flights recorded: ${String(served?.['outcome'])} at ${String(served?.['stage'])}`,
      },
      { expected: 'books changed: nothing', seen: `books changed: ${list(listChanged(before, after))}` },
    ]
  },
}
