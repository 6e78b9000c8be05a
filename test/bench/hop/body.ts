/** What both sides of every contestant send: 400 bytes of JSON. */
export const bodyBytes = 400

/** The text that makes `{"text":"…"}` as long as a body shall be. */
export const bodyText: string = 'x'.repeat(bodyBytes - '{"text":""}'.length)
