/**
 * Escapes what JSON leaves as it is and a terminal does not: DEL, C1 controls, directional marks. A stranger's text moves no
 * cursor and passes for no line of this program.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, escape)
}

/** Escapes in lines of this program what no line of it has: whoever wrote a part of them moves no cursor. Its own colours stay. */
export function escapeControls(lines: string): string {
  return lines.replaceAll(/\p{Cc}\[(?:0|1|2|31|32|33)m|[^\P{Cc}\n\t]|\p{Cf}/gu, (found) =>
    found.length <= 2 ? escape(found) : found.startsWith('\u001b') ? found : escape(found) + found.slice(1),
  )
}

function escape(found: string): string {
  return `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
}

/** Far enough from what a date can hold. */
const maxDateMs = 8.64e15

/** Writes a stranger's wall time in ISO 8601, or says that it is none. */
export function printableTime(timeMs: number): string {
  return Math.abs(timeMs) <= maxDateMs ? new Date(timeMs).toISOString() : 'no date'
}
