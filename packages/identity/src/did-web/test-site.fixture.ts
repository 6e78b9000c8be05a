import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { FetchOptions } from './fetch-document.ts'

/** A key for tests of TLS on this machine. It protects nothing. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGScv+bDlLZiACy0M
k767yKzbF4cECsPwZy9MXvXQiZyhRANCAAQuB0ouXz8YE6NZ9J+CtPPFYmg8hW0B
CnRLqOc28iV2lNjnu5hxMsUC42Wbgd2Y0De+Zds40q04wxdM6UCxsHjo
-----END PRIVATE KEY-----
`

/** Signed by the same key, for `acme.test` and `other.test`. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIBATAKBggqhkjOPQQDAjAWMRQwEgYDVQQDDAtwYXJsZXkg
dGVzdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFjEUMBIGA1UE
AwwLcGFybGV5IHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQuB0ouXz8Y
E6NZ9J+CtPPFYmg8hW0BCnRLqOc28iV2lNjnu5hxMsUC42Wbgd2Y0De+Zds40q04
wxdM6UCxsHjoo1QwUjAgBgNVHREEGTAXgglhY21lLnRlc3SCCm90aGVyLnRlc3Qw
DwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUyPXjzaEfcaK1hcIbZkeX+IVQrrEw
CgYIKoZIzj0EAwIDSAAwRQIhAPfH3cMJTfPWP0uf88INBflj0zbVb0Kdr2eOZj+e
OFBdAiBC3EcCqw+MKQnRal+TT5B8NIBkmp0U/moum0ymIv6NUQ==
-----END CERTIFICATE-----
`

/** A web server on loopback, and what a resolver needs to find it. */
export interface TestSite extends AsyncDisposable {
  readonly port: number
  /** The did:web of a name that leads here. */
  readonly did: (host: string) => string
  /** Trusts the site's certificate and lets names lead to loopback. */
  readonly options: FetchOptions
  /** Host names that were looked up. */
  readonly asked: readonly string[]
}

/** Starts a site that answers with `listener`. */
export async function startTestSite(listener: RequestListener): Promise<TestSite> {
  const server = createServer({ key, cert: certificate }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const asked: string[] = []
  return {
    port,
    asked,
    did: (host) => `did:web:${host}%3A${String(port)}`,
    options: {
      ca: certificate,
      isAllowedAddress: () => true,
      lookup: (host) => {
        asked.push(host)
        return Promise.resolve([{ address: '127.0.0.1', family: 4 }])
      },
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
