/** The closed table of what can go wrong in an operation: process exit status and HTTP status of each code. */
export const errorCodes = {
  "usage/invalid": { exit: 2, http: 400 },
  "input/invalid": { exit: 1, http: 422 },
  "io/unreadable": { exit: 2, http: 500 },
  "server/unreachable": { exit: 3, http: 502 },
  "envoy/not-found": { exit: 2, http: 500 },
  "envoy/failed": { exit: 1, http: 500 },
  "capture/unavailable": { exit: 2, http: 500 },
  "capture/failed": { exit: 1, http: 500 },
  "node/invalid": { exit: 1, http: 400 },
  "store/full": { exit: 1, http: 507 },
  "store/read-only": { exit: 1, http: 503 },
  "store/busy": { exit: 1, http: 503 },
  "store/corrupt": { exit: 1, http: 500 },
  "store/layout": { exit: 2, http: 500 },
  "store/failed": { exit: 1, http: 500 },
  "kubernetes/access": { exit: 2, http: 500 },
  "kubernetes/refused": { exit: 1, http: 502 },
  "internal/failed": { exit: 1, http: 500 },
} as const satisfies Record<string, { readonly exit: number; readonly http: number }>;

export type ErrorCode = keyof typeof errorCodes;

/** A failed operation, told to a person: what went wrong, and what to do about it. */
export class MeshError extends Error {
  override readonly name = "MeshError";
  readonly code: ErrorCode;
  /** What the reader can do now; one or more full sentences. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** Turns anything thrown into a MeshError; one that already is passes unchanged. */
  static from(cause: unknown): MeshError {
    if (cause instanceof MeshError) return cause;
    return new MeshError("internal/failed", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
