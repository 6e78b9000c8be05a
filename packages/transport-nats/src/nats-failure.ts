import { MeshError } from '@parley/protocol'

/** Says that the server does not let this connection listen. */
export function notPermitted(servers: string, pattern: string, cause: Error): MeshError {
  return new MeshError('transport.not-permitted', `${servers} does not permit to subscribe to ${pattern}.`, { cause })
}

/** Says that the connection was closed for good. */
export function closedFailure(servers: string): MeshError {
  return new MeshError('transport.closed', `The connection to ${servers} is closed; connect again.`)
}

/** Says that nothing is known of what the server was asked. */
export function lostFailure(servers: string, cause?: unknown): MeshError {
  return new MeshError('transport.disconnected', `The connection to ${servers} was lost before the server answered.`, {
    cause,
  })
}

/** Says why the first dial failed, and what to do. */
export function connectFailure(servers: string, error: unknown): MeshError {
  const said = error instanceof Error && error.message !== '' ? error.message : 'no answer'
  const advice = /authori[sz]ation/i.test(said)
    ? 'check token, user or nkey'
    : 'start a nats-server there, or correct the URL'
  return new MeshError('transport.connect-failed', `Cannot connect to ${servers}: ${said}; ${advice}.`, {
    cause: error,
  })
}
