import { createManualClock, silentLogger } from '@parley/ports'
import { openSqliteStore } from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'
import { createAllowanceLedger, type AllowanceAccount, type AllowanceLedger } from './allowance-ledger.ts'

const dayMs = 86_400_000

async function open() {
  const clock = createManualClock()
  const { keyValue } = await openSqliteStore({ path: ':memory:', clock })
  const ledger = createAllowanceLedger({ keyValue, clock, logger: silentLogger })
  /** Takes one call of a link that has two of them and lives for an hour. */
  const take = async (hash: string): ReturnType<AllowanceLedger['take']> => {
    const account: AllowanceAccount = {
      role: 'at',
      link: { hash, allowance: { calls: 2 } },
      expiresAtMs: clock.now() + 3_600_000,
    }
    const taking = ledger.take(account, { calls: 1, tokens: 0, micros: 0n })
    await clock.settle()
    return taking
  }
  const accounts = async (): Promise<readonly string[]> => {
    await clock.settle()
    return (await keyValue.list('allowance/')).map(({ key }) => key)
  }
  return { clock, keyValue, ledger, take, accounts }
}

describe('createAllowanceLedger', () => {
  it('I2: takes no more than there is, also of calls that come at once', async () => {
    const { take } = await open()
    const taken = await Promise.all(['one', 'one', 'one', 'other'].map(take))
    expect(taken.map(({ kind }) => kind)).toEqual(['allow', 'allow', 'deny', 'allow'])
  })

  it('I4: keeps an account for a day after its link expired, and then forgets it while it counts others', async () => {
    const { clock, take, accounts } = await open()
    for (let link = 0; link < 300; link++) void take(`old-${String(link)}`)
    expect(await accounts()).toHaveLength(300)
    await clock.advance(dayMs)
    await take('young')
    expect(await accounts()).toHaveLength(301)
    await clock.advance(dayMs)
    await take('younger')
    expect(await accounts()).toEqual(['allowance/at/young', 'allowance/at/younger'])
  })

  it('names an account that it cannot read', async () => {
    const { keyValue, ledger } = await open()
    await keyValue.put('allowance/own/x', new TextEncoder().encode('{"calls":1,"tokens":0,"micros":"all"}'))
    await expect(ledger.forget()).rejects.toMatchObject({ code: 'store.corrupt' })
  })
})
