import type { ApprovalAnswer, ApprovalSubject } from '@parley/policy'

/** An answer as it is kept: with the declaration that proves it. */
export interface KeptAnswer extends ApprovalAnswer {
  /** When it came here, and when it was signed. */
  readonly atMs: number
  readonly signedAtMs: number
  /** The signed declaration: anybody with an anchor can check it again. */
  readonly token: string
  /** What the person wrote. */
  readonly text?: string
  /** What an amendment proposes instead, and the request that asks for it. */
  readonly arguments?: unknown
  readonly becomes?: string
  /**
   * Of an amendment of another request that proposed this one, and so grants it: the digest of the arguments that the other
   * one is about. In all else the two are the same.
   */
  readonly amendedFrom?: string
}

/** Something that waits for people, or did. */
export interface ApprovalRequest {
  /** 128 bits in base64url: an answer to another request is worth nothing here. */
  readonly id: string
  /** Digest of `subject`: what is signed, and derived again before anything is done. */
  readonly digest: string
  readonly subject: ApprovalSubject
  /** What would be done, for people to read. */
  readonly arguments: unknown
  readonly reason: string
  readonly askedAtMs: number
  readonly expiresAtMs: number
  readonly answers: readonly KeptAnswer[]
  /** When a hop was admitted by it; a request is good for one. */
  readonly usedAtMs?: number
}

/** What a caller is told of a request: enough to ask a person. */
export interface AskedApproval {
  readonly id: string
  readonly digest: string
}

/** The purpose of declarations that answer requests. */
export const approvalPurpose = 'approval'

/** What a person signs. */
export interface ApprovalStatement {
  readonly request: string
  readonly digest: string
  readonly word: ApprovalAnswer['word']
  readonly text?: string
  readonly arguments?: unknown
}

/** Reads a request as it was kept; undefined if it is none. */
export function readRequest(bytes: Uint8Array): ApprovalRequest | undefined {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as ApprovalRequest
    return typeof value.id === 'string' && Array.isArray(value.answers) && Array.isArray(value.subject.demands)
      ? value
      : undefined
  } catch {
    return undefined
  }
}
