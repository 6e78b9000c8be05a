import { describe, expect, it } from 'vitest'
import { createSession, createSessionTable, type Session } from './session.ts'

const sessionWith = (id: string, instance: string): Session =>
  createSession(id, { instance: `did:key:z${instance}` } as Session['peer'], 'own')

describe('createSession', () => {
  it('counts up from 1 and never twice', () => {
    const session = sessionWith('s', 'a')
    expect([session.nextCounter(), session.nextCounter(), session.nextCounter()]).toEqual([1, 2, 3])
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

  it('keeps one opened session an instance, the last one', () => {
    const table = createSessionTable()
    const [old, renewed] = [sessionWith('old', 'a'), sessionWith('new', 'a')]
    table.addOpened(old)
    table.addOpened(renewed)
    expect(table.opened(old.peer.instance)).toBe(renewed)
    expect([table.get('old'), table.size()]).toEqual([undefined, 1])
    table.remove('old')
    expect(table.opened(old.peer.instance)).toBe(renewed)
    table.remove('new')
    expect(table.opened(old.peer.instance)).toBeUndefined()
  })

  it('forgets an opened session with its instance when it makes room', () => {
    const table = createSessionTable(1)
    const first = sessionWith('first', 'a')
    table.addOpened(first)
    table.add(sessionWith('second', 'b'))
    expect(table.opened(first.peer.instance)).toBeUndefined()
  })
})
