import { describe, expect, it } from 'vitest'
import { createSession, createSessionTable, maxSessionsPerInstance, nextCounter, type Session } from './session.ts'

const sessionWith = (id: string, instance: string, owner = 'did:key:zowner'): Session =>
  createSession(id, { instance: `did:key:z${instance}`, owner } as Session['peer'], 'own')

describe('createSession', () => {
  it('counts up from 1 and never twice', () => {
    const session = sessionWith('s', 'a')
    expect([nextCounter(session), nextCounter(session), nextCounter(session)]).toEqual([1, 2, 3])
  })
})

describe('createSessionTable', () => {
  it('forgets the session that was used longest ago', () => {
    const table = createSessionTable(2)
    const [a, b, c] = [sessionWith('a', 'a'), sessionWith('b', 'b'), sessionWith('c', 'c')]
    table.add(a)
    table.add(b)
    expect(table.get('a')).toBe(a)
    table.add(c)
    expect([table.get('a'), table.get('b'), table.get('c'), table.size()]).toEqual([a, undefined, c, 2])
  })

  it('opens calls over the last session of an instance, and takes answers of the one before', () => {
    const table = createSessionTable()
    const [old, renewed] = [sessionWith('old', 'a'), sessionWith('new', 'a')]
    table.addOpened(old)
    table.addOpened(renewed)
    expect(table.opened(old.peer.instance)).toBe(renewed)
    expect([table.get('old'), table.size()]).toEqual([old, 2])
    table.retire('old')
    expect(table.opened(old.peer.instance)).toBe(renewed)
    table.retire('new')
    expect(table.opened(old.peer.instance)).toBeUndefined()
    expect(table.get('new')).toBe(renewed)
  })

  it('lets an instance push out only sessions of its own', () => {
    const table = createSessionTable()
    const other = sessionWith('other', 'b')
    table.add(other)
    const ids = Array.from({ length: maxSessionsPerInstance + 3 }, (_, at) => `s${String(at)}`)
    for (const id of ids) table.add(sessionWith(id, 'a'))
    expect(ids.filter((id) => table.get(id))).toEqual(ids.slice(3))
    expect(table.get('other')).toBe(other)
    expect(table.size()).toBe(maxSessionsPerInstance + 1)
  })

  it('lets an owner with any number of instances push out only sessions of its own', () => {
    const table = createSessionTable(10)
    const others = ['a', 'b', 'c'].map((id) => sessionWith(id, id, `did:key:zother-${id}`))
    for (const other of others) table.add(other)
    const ids = Array.from({ length: 40 }, (_, at) => `s${String(at)}`)
    for (const id of ids) table.add(sessionWith(id, id))
    expect(ids.filter((id) => table.get(id))).toEqual(ids.slice(-7))
    expect(others.every(({ id }) => table.get(id))).toBe(true)
    expect(table.size()).toBe(10)
  })

  it('forgets an opened session with its instance when it makes room', () => {
    const table = createSessionTable(1)
    const first = sessionWith('first', 'a')
    table.addOpened(first)
    table.add(sessionWith('second', 'b'))
    expect(table.opened(first.peer.instance)).toBeUndefined()
  })
})
