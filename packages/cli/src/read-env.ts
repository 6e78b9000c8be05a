/** What the environment says. Nothing else of Parley reads it. */
export interface CliEnv {
  /** `NATS_URL`: the broker, where a command is not told one. */
  readonly natsUrl?: string
  /** `PARLEY_PASSPHRASE`: opens the keys of an issuer's folder. Not an option, since options are seen by every user. */
  readonly passphrase?: string
  /** `NO_COLOR` (no-color.org): any value but the empty one turns colours off. */
  readonly noColour: boolean
}

/** Reads the environment. An empty value counts as absent. */
export function readEnv(env: Readonly<Record<string, string | undefined>>): CliEnv {
  const { NATS_URL: natsUrl = '', PARLEY_PASSPHRASE: passphrase = '', NO_COLOR: noColour = '' } = env
  return {
    ...(natsUrl === '' ? {} : { natsUrl }),
    ...(passphrase === '' ? {} : { passphrase }),
    noColour: noColour !== '',
  }
}
