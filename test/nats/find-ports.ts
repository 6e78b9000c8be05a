import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** Finds ports that nobody uses; all are held until the last one is found. */
export async function findPorts(count: number): Promise<readonly number[]> {
  const held = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(held.map((server) => once(server, 'listening')))
  const ports = held.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(held.map((server) => once(server.close(), 'close')))
  return ports
}
