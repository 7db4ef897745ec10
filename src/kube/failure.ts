import { type ErrorCode, MeshError } from "../base/errors.ts";

/** Why a request or a stream of the API server came to nothing, as far as what to do next depends on it. */
export type FailureKind =
  /** No answer: nobody there, no name, no trust, too late. */
  | "unreachable"
  /** The answer broke off. */
  | "cut"
  /** Nothing came for too long. */
  | "silent"
  /** What came is not what an API server says. */
  | "broken"
  /** More bytes than are taken. */
  | "too-large"
  | "unauthorized"
  | "forbidden"
  /** The server does not know the path. */
  | "absent"
  | "conflict"
  /** The version is too old to go on from. */
  | "gone"
  /** The version is newer than anything the server knows: it was restored from a backup. */
  | "too-new"
  | "throttled"
  /** The request is not understood. */
  | "invalid"
  /** Any other error of the server. */
  | "failed";

export interface FailureOptions {
  readonly hint?: string;
  readonly cause?: unknown;
  /** HTTP status; absent: there was no answer. */
  readonly status?: number;
  /** The server's own word: `Expired`, `AlreadyExists`. */
  readonly reason?: string;
  /** The server asks not to be asked again before. */
  readonly retryAfterMs?: number;
}

/** A failed request, told to a person. */
export class KubeFailure extends MeshError {
  readonly kind: FailureKind;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: FailureKind, message: string, options: FailureOptions = {}) {
    super(codes[kind] ?? "kubernetes/refused", message, { ...options, hint: options.hint ?? hints[kind] });
    this.kind = kind;
    this.status = options.status;
    this.reason = options.reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

const codes: Partial<Readonly<Record<FailureKind, ErrorCode>>> = {
  unreachable: "server/unreachable",
  cut: "server/unreachable",
  silent: "server/unreachable",
};

const lookAtServer = "Look at the API server's log.";

const hints: Readonly<Record<FailureKind, string>> = {
  unreachable: "Check that the API server runs, and the way to it. It is tried again until it answers.",
  cut: "It is tried again. If it happens often, look at what is between here and the API server.",
  silent: "It is tried again. If it happens often, look at what is between here and the API server.",
  broken: "Does the address lead to a Kubernetes API server?",
  "too-large": "Watch fewer objects: one namespace, or a label selector.",
  unauthorized: "Renew the token or the certificate of the login.",
  forbidden: "Bind a role to the user that allows this.",
  absent: "Install what defines the kind, or ask another server.",
  conflict: "Read the object anew, and try again.",
  gone: "Everything is read anew.",
  "too-new": "Everything is read anew.",
  throttled: "It is tried again when the server said so.",
  invalid: "Is the server older than Kubernetes 1.25?",
  failed: lookAtServer,
};

const kindsByStatus: Readonly<Record<number, FailureKind>> = {
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "absent",
  405: "invalid",
  406: "invalid",
  409: "conflict",
  410: "gone",
  415: "invalid",
  422: "invalid",
  429: "throttled",
};

/** The answer of a server to what it did not do, also as it comes in a stream: an object of the kind `Status`. */
export interface StatusAnswer {
  readonly status: number;
  readonly body: unknown;
  /** The header `Retry-After`. */
  readonly retryAfter?: string | undefined;
}

/** `what`: `GET /api/v1/pods at https://10.0.0.1:6443 as admin`. */
export function failureOf(what: string, { status, body, retryAfter }: StatusAnswer): KubeFailure {
  const { message, reason, code, details } = statusFields(body);
  const httpStatus = code ?? status;
  const kind = isTooNew(details) ? "too-new" : reason === "Expired" ? "gone" : (kindsByStatus[httpStatus] ?? "failed");
  const seconds = details.retryAfterSeconds ?? secondsOf(retryAfter);
  return new KubeFailure(
    kind,
    `${what} was answered with ${httpStatus}${reason ? ` ${reason}` : ""}${after(message)}`,
    {
      status: httpStatus,
      ...(reason !== undefined && { reason }),
      ...(seconds !== undefined && { retryAfterMs: seconds * 1_000 }),
    },
  );
}

const longestMessage = 500;

const after = (message: string | undefined): string =>
  message === undefined || message === "" ? "" : `: ${message.slice(0, longestMessage)}`;

interface StatusDetails {
  readonly retryAfterSeconds?: number;
  readonly causes?: unknown;
}

interface StatusFields {
  readonly message: string | undefined;
  readonly reason: string | undefined;
  readonly code: number | undefined;
  readonly details: StatusDetails;
}

function statusFields(body: unknown): StatusFields {
  if (typeof body === "string") return { message: body.trim(), reason: undefined, code: undefined, details: {} };
  const { message, reason, code, details } = objectOf(body);
  return {
    message: textOf(message),
    reason: textOf(reason) || undefined,
    code: numberOf(code),
    details: detailsOf(objectOf(details)),
  };
}

function detailsOf({ retryAfterSeconds, causes }: Readonly<Record<string, unknown>>): StatusDetails {
  const seconds = numberOf(retryAfterSeconds);
  return { causes, ...(seconds !== undefined && seconds > 0 && { retryAfterSeconds: seconds }) };
}

const isTooNew = ({ causes }: StatusDetails): boolean =>
  Array.isArray(causes) && causes.some((one) => objectOf(one)["reason"] === "ResourceVersionTooLarge");

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** Dates are not read: API servers give seconds. */
const secondsOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
