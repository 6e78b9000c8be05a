import { systemHash, type Hash } from '@parley/ports'

/** Hashes texts in their order: base64url of SHA-256. A JSON list keeps the borders between them. */
export function hashTexts(use: string, texts: readonly string[], hash: Hash = systemHash): string {
  const bytes = hash(new TextEncoder().encode(`${use}\n${JSON.stringify(texts)}`))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
