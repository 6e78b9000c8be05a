import { isMeshError } from '@parley/protocol'

/** What one side of a channel does for the other, by name. What comes in is checked by whoever takes it. */
export type Commands = Readonly<Record<string, (argument: unknown) => unknown>>

/** The end of an IPC pipe: a forked child, or the own process in the child. */
export interface Pipe {
  send?(message: object, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
}

/** A conversation between the demo and one of its processes. */
export interface Channel {
  /** Runs a command of the other side. Rejects with what went wrong there, or when the pipe ends. */
  ask(command: string, argument?: unknown): Promise<unknown>
  /** Tells something that is not answered. */
  tell(event: object): void
  /** Rejects everything that still waits for an answer. */
  end(reason: string): void
}

type Message =
  | { readonly kind: 'ask'; readonly id: number; readonly command: string; readonly argument?: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown; readonly problem?: string }
  | { readonly kind: 'event'; readonly event: unknown }

/** Opens a channel over a pipe. Messages keep their order. */
export function createChannel(pipe: Pipe, commands: Commands, onEvent: (event: unknown) => void = () => {}): Channel {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let lastId = 0
  let ended: string | undefined

  const end = (reason: string): void => {
    ended ??= reason
    for (const { reject } of waiting.values()) reject(new Error(reason))
    waiting.clear()
  }
  const send = (message: Message): void => {
    // A pipe that is gone is told by `disconnect`.
    pipe.send?.(message, (error) => error && end(error.message))
  }
  const answer = async (id: number, command: string, argument: unknown): Promise<void> => {
    try {
      const run = Object.hasOwn(commands, command) ? commands[command] : undefined
      if (!run) throw new TypeError(`there is no command ${command}`)
      send({ kind: 'answer', id, value: await run(argument) })
    } catch (error) {
      const said = error instanceof Error ? error.message : 'an unknown problem'
      send({ kind: 'answer', id, problem: isMeshError(error) ? `${error.code}: ${said}` : said })
    }
  }
  pipe.on('disconnect', () => end('the process has ended'))
  pipe.on('message', (received) => {
    const message = received as Message
    switch (message.kind) {
      case 'ask':
        void answer(message.id, message.command, message.argument)
        break
      case 'answer': {
        const asked = waiting.get(message.id)
        waiting.delete(message.id)
        if (message.problem === undefined) asked?.resolve(message.value)
        else asked?.reject(new Error(message.problem))
        break
      }
      case 'event':
        onEvent(message.event)
    }
  })
  return {
    ask(command, argument) {
      if (ended !== undefined) return Promise.reject(new Error(ended))
      const asked = Promise.withResolvers<unknown>()
      const id = ++lastId
      waiting.set(id, asked)
      send({ kind: 'ask', id, command, argument })
      return asked.promise
    },
    tell: (event) => send({ kind: 'event', event }),
    end,
  }
}
