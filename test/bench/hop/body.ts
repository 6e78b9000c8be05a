/** What both sides of every contestant send: 400 bytes of JSON. */
export const bodyBytes = 400

/** The text that makes `{"text":"…"}` as long as a body shall be. */
export const bodyText: string = 'x'.repeat(bodyBytes - '{"text":""}'.length)

/** Throws unless the text that came back is, to the last byte, the one that was sent. */
export function assertSameText(text: unknown): void {
  if (text !== bodyText) throw new Error('a reply is not what was sent')
}
