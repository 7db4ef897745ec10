import type { TypeName } from "../../src/envoy/resource-types.ts";
import type { Connection, ConnectionOptions } from "./client/connection.ts";
import type { Link } from "./client/link.ts";
import type { NodeFields } from "./client/request.ts";
import type { XdsStream } from "./client/stream.ts";
import type { InvariantName } from "./invariants.ts";
import type { RawResource, ResourceKey } from "./resources.ts";
import type { StatementId } from "./statements.ts";
import type { Capability, Instance, Limits } from "./targets/target.ts";
import type { Variant, VariantName } from "./variants.ts";

/**
 * One thing to try, as data. It is run once for each of its variants and types; each run is a cell with a server, a node and
 * names of its own, so that cells can run at the same time.
 */
export interface Case {
  readonly statement: StatementId;
  /** What is tried, and what should be seen: reads after "ACK-04: ". Unique within its statement. */
  readonly title: string;
  readonly variants: readonly VariantName[];
  /** The types that it is run over; on ADS too. One type where the type does not matter. */
  readonly types: readonly TypeName[];
  /** Without these a target cannot be asked; the cell is "n/a" there. */
  readonly needs: readonly Capability[];
  /** How the client's node presents itself. Default `envoy`. */
  readonly client?: "envoy" | "grpc";
  /** The server starts before its state is complete. */
  readonly held?: boolean;
  /** The server lets new streams in one by one, has 100 of them wait, and refuses the others. */
  readonly crowd?: boolean;
  /** It keeps the processor busy, and is run after the others, beside few of its kind: what they measure would be this. */
  readonly heavy?: true;
  /** The server is started with these; needs `limits`. */
  readonly limits?: Limits;
  /** Invariants that what is tried here breaks on purpose, each with the reason. */
  readonly except?: Readonly<Partial<Record<InvariantName, string>>>;
  /** Rejects when the statement does not hold. */
  readonly run: (context: CaseContext) => Promise<void>;
}

export interface OpenOptions {
  /** Default: the cell's. */
  readonly variant?: Variant;
  /** Which single-type service, where the variant has one stream a type. Default: the cell's. */
  readonly type?: TypeName;
  /** Default: the cell's node. */
  readonly node?: NodeFields;
  /** Default: the cell's connection. */
  readonly connection?: Connection;
  /** Answers everything with an ACK at once. */
  readonly autoAck?: boolean;
}

/** What a cell has at hand. */
export interface CaseContext {
  readonly variant: Variant;
  readonly type: TypeName;
  /** The cell's server; its state is changed by `put` and `del`, which the invariants follow. */
  readonly server: Instance;
  readonly node: NodeFields;
  /** A node beside the cell's own. */
  readonly otherNode: (suffix: string) => NodeFields;
  readonly quietMs: number;
  readonly withinMs: number;
  /** A name that no other cell uses. */
  readonly name: (short: string) => string;
  /** Opens a stream on the cell's connection; every message of it is held against the invariants. */
  readonly open: (options?: OpenOptions) => XdsStream;
  /** Another connection, to the cell's server or to `address`. */
  readonly connect: (address?: string, options?: ConnectionOptions) => Connection;
  /** A wire to the cell's server that can be cut; `connect` to its address. */
  readonly link: () => Promise<Link>;
  /** One change of the state. */
  readonly put: (...resources: readonly RawResource[]) => Promise<void>;
  readonly del: (...keys: readonly ResourceKey[]) => Promise<void>;
  readonly change: (put: readonly RawResource[], del: readonly ResourceKey[]) => Promise<void>;
  /** A second server with the same state. */
  readonly replica: () => Promise<Instance>;
  /** Polls until the condition gives something truthy; rejects when it does not in time. */
  readonly until: <T>(what: string, condition: () => T | Promise<T>) => Promise<NonNullable<T>>;
}

/** Fails the cell. */
export function ensure(condition: unknown, text: string): asserts condition {
  if (condition !== true && !condition) throw new Error(text);
}

/** Fails the cell unless both lists have the same members; the order does not matter. */
export function ensureNames(found: readonly string[], wanted: readonly string[], what: string): void {
  const [left, right] = [[...found].sort().join(" "), [...wanted].sort().join(" ")];
  if (left !== right) throw new Error(`${what}: got {${left}}, not {${right}}`);
}
