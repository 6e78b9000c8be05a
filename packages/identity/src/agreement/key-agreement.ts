import { AEAD_EXPORT_ONLY, CipherSuite } from 'hpke'
import type { Random } from '@parley/ports'
import { refuse, type Refusal } from '@parley/protocol'
import { createHmacKdf } from './hmac-kdf.ts'
import { readPublicX25519, x25519Bytes } from './x25519-key.ts'
import { createX25519Kem } from './x25519-kem.ts'

/**
 * Derives `length` bytes that only the two sides of a session know, for one purpose. Another context gives bytes that say
 * nothing about these (RFC 9180 §5.3).
 */
export type SecretExporter = (context: Uint8Array, length: number) => Promise<Uint8Array>

/** The fresh key of who asks for a session. The private half stays in here and is used for one session. */
export interface KeyShare {
  /** 32 bytes for the hello. */
  readonly publicKey: Uint8Array
  /** Takes what the other side encapsulated. Refuses with `iatp.handshake-failed` what agrees on nothing. */
  accept(
    encapsulated: Uint8Array,
    info: Uint8Array,
  ): Promise<{ readonly kind: 'allow'; readonly exportSecret: SecretExporter } | Refusal>
}

/** How two instances come to a secret: HPKE in base mode (RFC 9180 §5.1.1), its context used for exporting alone. */
export interface KeyAgreement {
  createShare(): Promise<KeyShare>
  /**
   * Encapsulates a fresh secret to a share. `info` binds what both sides have said before. Refuses with
   * `iatp.handshake-failed` a share that is none.
   */
  encapsulate(
    share: Uint8Array,
    info: Uint8Array,
  ): Promise<
    { readonly kind: 'allow'; readonly encapsulated: Uint8Array; readonly exportSecret: SecretExporter } | Refusal
  >
}

/**
 * Creates the key agreement of sessions: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, export-only. Who speaks is proven by the
 * signed transcript and not in here. Everything fresh comes from the port, and nothing waits for another thread.
 */
export function createKeyAgreement(random: Random): KeyAgreement {
  const suite = new CipherSuite(() => createX25519Kem(random, createHmacKdf()), createHmacKdf, AEAD_EXPORT_ONLY)
  const exporterOf =
    (context: { Export(context: Uint8Array, length: number): Promise<Uint8Array> }): SecretExporter =>
    (purpose, length) =>
      context.Export(purpose, length)
  return {
    async createShare() {
      const pair = await suite.GenerateKeyPair()
      return {
        publicKey: pair.publicKey.publicBytes,
        async accept(encapsulated, info) {
          try {
            const context = await suite.SetupRecipient(pair, encapsulated, { info })
            return { kind: 'allow', exportSecret: exporterOf(context) }
          } catch (error) {
            return refuse('iatp.handshake-failed', `the key share of the welcome is unusable: ${reasonOf(error)}`)
          }
        },
      }
    },
    async encapsulate(share, info) {
      if (share.length !== x25519Bytes) return refuse('iatp.handshake-failed', 'a key share has 32 bytes')
      try {
        const { encapsulatedSecret, ctx } = await suite.SetupSender(readPublicX25519(share), { info })
        return { kind: 'allow', encapsulated: encapsulatedSecret, exportSecret: exporterOf(ctx) }
      } catch (error) {
        return refuse('iatp.handshake-failed', `the key share of the hello is unusable: ${reasonOf(error)}`)
      }
    },
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'not an error'
}
