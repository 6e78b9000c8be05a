import { EventEmitter } from 'node:events'
import { MeshError } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createChannel, type Pipe } from './channel.ts'

/** Two ends of a pipe that hands messages over at the end of the turn, as copies. */
function createPipes(): readonly [Pipe & EventEmitter, Pipe & EventEmitter] {
  const [left, right] = [new EventEmitter(), new EventEmitter()]
  const sendTo = (other: EventEmitter) => ({
    send(message: object, callback: (error: Error | null) => void) {
      setImmediate(() => other.emit('message', structuredClone(message)))
      callback(null)
      return true
    },
  })
  return [Object.assign(left, sendTo(right)), Object.assign(right, sendTo(left))]
}

describe('createChannel', () => {
  it('answers with what the other side returns', async () => {
    const [near, far] = createPipes()
    createChannel(far, { double: (value) => Number(value) * 2 })
    expect(await createChannel(near, {}).ask('double', 21)).toBe(42)
  })

  it('rejects with the code and message of a failure on the other side', async () => {
    const [near, far] = createPipes()
    const fail = (): never => {
      throw new MeshError('saga.unknown', 'no such saga')
    }
    createChannel(far, { fail })
    await expect(createChannel(near, {}).ask('fail')).rejects.toThrow('saga.unknown: no such saga')
  })

  it('rejects a command that the other side does not have, inherited names included', async () => {
    const [near, far] = createPipes()
    createChannel(far, {})
    await expect(createChannel(near, {}).ask('toString')).rejects.toThrow('there is no command toString')
  })

  it('rejects what waits when the pipe ends, and everything after', async () => {
    const [near, far] = createPipes()
    createChannel(far, { wait: () => new Promise(() => undefined) })
    const channel = createChannel(near, {})
    const asked = channel.ask('wait')
    near.emit('disconnect')
    await expect(asked).rejects.toThrow('the process has ended')
    await expect(channel.ask('wait')).rejects.toThrow('the process has ended')
  })

  it('tells events in order', async () => {
    const [near, far] = createPipes()
    const told: unknown[] = []
    createChannel(far, { sync: () => undefined }, (event) => told.push(event))
    const channel = createChannel(near, {})
    channel.tell({ seq: 1 })
    channel.tell({ seq: 2 })
    await channel.ask('sync')
    expect(told).toEqual([{ seq: 1 }, { seq: 2 }])
  })
})
