import type { AnyPart, Part } from './part.ts'

/** Describes a branch of a group that has several parts, one after the other. */
export function sequence<Saga, Before, A, B>(
  a: Part<Saga, Before, A>,
  b: Part<Saga, Before & A, B>,
): Part<Saga, Before, A & B>
export function sequence<Saga, Before, A, B, C>(
  a: Part<Saga, Before, A>,
  b: Part<Saga, Before & A, B>,
  c: Part<Saga, Before & A & B, C>,
): Part<Saga, Before, A & B & C>
export function sequence<Saga, Before, A, B, C, D>(
  a: Part<Saga, Before, A>,
  b: Part<Saga, Before & A, B>,
  c: Part<Saga, Before & A & B, C>,
  d: Part<Saga, Before & A & B & C, D>,
): Part<Saga, Before, A & B & C & D>
export function sequence<Saga, Before>(
  ...parts: readonly Part<Saga, Before, unknown>[]
): Part<Saga, Before, Readonly<Record<string, unknown>>>
export function sequence(...parts: readonly AnyPart[]): AnyPart {
  return { kind: 'sequence', parts }
}
