import { describe, expect, it } from 'vitest'
import { createClosedSessions } from './closed-sessions.ts'
import { createSession, type Session } from './session.ts'

const sessionWith = (id: string, instance: string, owner: string): Session =>
  createSession(id, { instance: `did:key:z${instance}`, owner } as Session['peer'], 'own')

describe('createClosedSessions', () => {
  it('gives the window to the instance of the session alone', () => {
    const closed = createClosedSessions()
    const session = sessionWith('s', 'a', 'did:key:zowner')
    session.inbound.accept(7)
    closed.remember(session)
    expect(closed.windowOf('s', 'did:key:za')?.accept(7)).toBe(false)
    expect(closed.windowOf('s', 'did:key:zb')).toBeUndefined()
    expect(closed.windowOf('other', 'did:key:za')).toBeUndefined()
  })

  it('lets an owner that shakes hands without end push out only windows of its own', () => {
    const closed = createClosedSessions(10)
    const others = ['a', 'b', 'c'].map((id) => sessionWith(id, id, `did:key:zother-${id}`))
    for (const other of others) closed.remember(other)
    const ids = Array.from({ length: 40 }, (_, at) => `s${String(at)}`)
    for (const id of ids) closed.remember(sessionWith(id, id, 'did:key:zowner'))
    expect(ids.filter((id) => closed.windowOf(id, `did:key:z${id}`))).toEqual(ids.slice(-7))
    expect(others.every(({ id, peer }) => closed.windowOf(id, peer.instance))).toBe(true)
  })

  it('counts a session once, however often it ends', () => {
    const closed = createClosedSessions(2)
    const session = sessionWith('s', 'a', 'did:key:zowner')
    for (let time = 0; time < 5; time++) closed.remember(session)
    closed.remember(sessionWith('other', 'b', 'did:key:zother'))
    closed.remember(sessionWith('third', 'c', 'did:key:zother'))
    expect(closed.windowOf('s', 'did:key:za')).toBeDefined()
  })
})
