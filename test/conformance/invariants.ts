import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { digestOf } from "./canonical.ts";
import type { RequestFields } from "./client/request.ts";
import { describeResponse, type ReceivedResource, type Response } from "./client/response.ts";
import type { StreamWatcher } from "./client/stream.ts";
import { newTypeModel, type TypeModel } from "./model.ts";
import { referencesOf } from "./references.ts";
import type { Variant } from "./variants.ts";

/**
 * What holds for every message of every case. `types`: the type was asked for, and fits what is inside, and so do the names;
 * `nonces`; `versions`: other content, other version; `stable-versions`: equal content, equal version; `names`: no name twice, none in both lists, none
 * that is not asked for; `full-set`: state-of-the-world listeners and clusters leave nothing out; `size`; `superfluous`: nothing
 * that the client has already; `references`: at the end, nothing names what cannot be had; `final-state`: at the end it is quiet,
 * the client has what the server has, and after closing nothing is left open.
 */
export const invariantNames = [
  "types",
  "nonces",
  "versions",
  "stable-versions",
  "names",
  "full-set",
  "size",
  "superfluous",
  "references",
  "final-state",
] as const;

export type InvariantName = (typeof invariantNames)[number];

export interface Fault {
  readonly invariant: InvariantName;
  readonly text: string;
}

/** What the server's state is, as the case made it. */
export interface StateView {
  readonly find: (type: TypeName, name: string) => Uint8Array | undefined;
  readonly all: (type: TypeName) => ReadonlyMap<string, Uint8Array>;
  /** Put with `onDemand`: a wildcard does not cover it. */
  readonly isOnDemand: (type: TypeName, name: string) => boolean;
  /** Since when it has been there without a break; undefined: it is not. Of `performance.now()`. */
  readonly since: (type: TypeName, name: string) => number | undefined;
  /** It is there, or was. */
  readonly everHad: (type: TypeName, name: string) => boolean;
}

export interface Checks {
  /** Watches one stream. */
  readonly watch: (
    variant: Variant,
    client: "envoy" | "grpc",
  ) => StreamWatcher & { readonly model: (type: TypeName) => TypeModel };
  readonly faults: readonly Fault[];
  /** Looks at what the clients hold: for the end of a case, when all is quiet. */
  readonly finish: (
    streams: readonly { readonly variant: Variant; readonly model: (type: TypeName) => TypeModel }[],
  ) => void;
}

const grpcMaxBytes = 4 * 1024 * 1024;

/** One case's invariants. Without a state (a server that is not ours to control) those that need it are not checked. */
export function createChecks(state: StateView | undefined, unchecked: ReadonlySet<InvariantName>): Checks {
  const faults: Fault[] = [];
  const versions = createVersionBook();
  const fault = (invariant: InvariantName, text: string): void => {
    if (!unchecked.has(invariant)) faults.push({ invariant, text });
  };

  return {
    faults,
    watch(variant, client) {
      const nonces = new Set<string>();
      const models = new Map<TypeName, TypeModel>();
      const model = (type: TypeName): TypeModel => {
        const found = models.get(type) ?? newTypeModel(type, variant.wire);
        models.set(type, found);
        return found;
      };
      const check = (response: Response, type: TypeName): void => {
        const say = (invariant: InvariantName) => (text: string) =>
          fault(invariant, `${text}: ${describeResponse(response)}`);
        const seen = model(type);
        checkTypes(response, seen, say("types"));
        if (nonces.has(response.nonce)) say("nonces")("the nonce was used before on this stream");
        if (response.nonce === "") say("nonces")("no nonce");
        nonces.add(response.nonce);
        if (response.version === "") say("versions")("no version");
        for (const { invariant, text } of versions.note(variant, type, response)) say(invariant)(text);
        checkNames(response, seen, say("names"));
        if (variant.wire === "sotw" && resourceType(type).fullState && state !== undefined) {
          for (const name of missingFrom(response, seen, state)) say("full-set")(`${name} is left out`);
        }
        if (client === "grpc" && response.size > grpcMaxBytes) say("size")(`${response.size} bytes for a gRPC client`);
        const isGone = (name: string): boolean => state !== undefined && state.find(type, name) === undefined;
        for (const text of seen.superfluous(response, isGone)) say("superfluous")(text);
        seen.received(response);
        if (type === "CDS" && variant.ads) model("EDS").clustersCame(response.resources.map(endpointsOf));
      };
      return {
        model,
        sent: (request: RequestFields) => {
          const type = typeOfUrl(request.typeUrl);
          if (type !== undefined) model(type).sent(request, performance.now());
        },
        received: (response) => {
          if (response.type === undefined) fault("types", `a type that nobody knows: ${describeResponse(response)}`);
          else check(response, response.type);
        },
      };
    },

    finish(streams) {
      if (state === undefined) return;
      for (const { variant, model } of streams) {
        for (const text of danglingIn(model, variant, state)) fault("references", text);
        for (const { short } of modelled)
          for (const text of differencesTo(state, model(short))) fault("final-state", text);
      }
    },
  };
}

const modelled = (["CDS", "EDS", "LDS", "RDS", "SDS", "ECDS", "RTDS", "SRDS", "VHDS"] as const).map(resourceType);

const typeOfUrl = (url: string): TypeName | undefined => modelled.find((type) => type.url === url)?.short;

type Say = (text: string) => void;

function checkTypes({ typeUrl, resources }: Response, model: TypeModel, say: Say): void {
  if (!model.requested) say("a type that this stream did not ask for");
  for (const { name, nameInside, typeUrl: inside, body } of resources) {
    if (body !== undefined && inside !== typeUrl) say(`${name} is a ${inside}`);
    if (nameInside !== undefined && nameInside !== name) say(`${name} is called ${nameInside} inside`);
  }
}

function checkNames({ resources, removed, errors }: Response, model: TypeModel, say: Say): void {
  const all = [...resources.map(({ name }) => name), ...removed];
  const seen = new Set<string>();
  const twice = all.filter((name) => seen.size === seen.add(name).size);
  if (twice.length > 0) say(`named twice: ${twice.join(" ")}`);
  const foreign = [...all, ...errors.map(({ name }) => name)].filter((name) => !model.covers(name));
  if (foreign.length > 0) say(`nobody asked for ${foreign.join(" ")}`);
  for (const { name } of errors) if (resources.some((one) => one.name === name)) say(`${name} is there, and an error`);
}

/** Subscribed, there since before the client's last response of the type (or, at first, its request), and left out. */
function missingFrom({ resources, errors }: Response, model: TypeModel, state: StateView): readonly string[] {
  const present = new Set([...resources, ...errors].map(({ name }) => name));
  return [...state.all(model.type).keys()].filter((name) => {
    const since = state.since(model.type, name);
    const owed = model.owes(name, state.isOnDemand(model.type, name));
    return (
      owed &&
      !present.has(name) &&
      since !== undefined &&
      since < (model.lastSeenAt ?? model.firstAskedAt ?? 0) &&
      model.held.has(name)
    );
  });
}

interface VersionBook {
  /** What is wrong with the versions of this response, given all before it. */
  readonly note: (variant: Variant, type: TypeName, response: Response) => readonly Fault[];
}

/** Over all streams, restarts and replicas of a case: which version went with which content. */
function createVersionBook(): VersionBook {
  const contentOf = new Map<string, string>();
  const versionOf = new Map<string, string>();
  const note = (key: string, version: string, content: string, coversMore: boolean): readonly Fault[] => {
    const found: Fault[] = [];
    const before = contentOf.get(`${key} ${version}`);
    if (before !== undefined && before !== content)
      found.push({ invariant: "versions", text: `version ${version} stood for other content before` });
    contentOf.set(`${key} ${version}`, content);
    const known = versionOf.get(`${key} ${content}`);
    if (!coversMore && known !== undefined && known !== version)
      found.push({ invariant: "stable-versions", text: `this content had version ${known} before` });
    versionOf.set(`${key} ${content}`, version);
    return found;
  };
  return {
    note({ wire }, type, response) {
      // The version of endpoints covers their cluster too, so equal endpoints may have several.
      const coversMore = type === "EDS";
      if (wire === "delta") {
        const bodies = response.resources.filter(({ body }) => body !== undefined);
        return bodies.flatMap((one) =>
          note(`delta ${type} ${one.name}`, one.version, contentOfResource(type, one), coversMore),
        );
      }
      const signs = response.resources.length > 0 && response.resources.every(({ body }) => body === undefined);
      if (signs) return [];
      const errors = response.errors.map(({ name, code }) => `${name} ${code}`).sort();
      const names = response.resources.map(({ name }) => name).sort();
      const content = [...response.resources.map((one) => contentOfResource(type, one)).sort(), ...errors].join("|");
      return note(`sotw ${type} ${names.join(",")}`, response.version, content, coversMore);
    },
  };
}

const contentOfResource = (type: TypeName, { name, body, ttlMs }: ReceivedResource): string =>
  `${name}=${body === undefined ? "" : digestOf(type, body)}${ttlMs === undefined ? "" : `/${ttlMs}`}`;

/** The name that a cluster's endpoints are asked for by. */
function endpointsOf({ name, body }: ReceivedResource): string {
  const found = body === undefined ? undefined : referencesOf("CDS", body).find(({ type }) => type === "EDS");
  return found?.name ?? name;
}

/** Names in what the client holds that it neither holds nor could get. Only types that it follows by wildcard count: it would have them. */
function danglingIn(model: (type: TypeName) => TypeModel, variant: Variant, state: StateView): readonly string[] {
  if (!variant.ads) return [];
  return (["LDS", "RDS"] as const).flatMap((from) =>
    [...model(from).held].flatMap(([holder, { body }]) =>
      referencesOf(from, body)
        .filter(
          ({ type, name }) =>
            type === "CDS" &&
            model(type).wildcard &&
            !model(type).held.has(name) &&
            state.find(type, name) === undefined,
        )
        .map(({ type, name }) => `${from} ${holder} names ${type} ${name}, which is nowhere`),
    ),
  );
}

/** Where a client that accepted everything does not hold what the server has. */
function differencesTo(state: StateView, model: TypeModel): readonly string[] {
  if (!model.atRest) return [];
  const { type } = model;
  const texts: string[] = [];
  for (const [name, bytes] of state.all(type)) {
    if (!model.owes(name, state.isOnDemand(type, name))) continue;
    const held = model.held.get(name);
    if (held === undefined) texts.push(`${type} ${name} never came`);
    // Without a body it is held from an earlier stream, and only the server knows whether the version still stands.
    else if (held.body.length > 0 && digestOf(type, held.body) !== digestOf(type, bytes))
      texts.push(`${type} ${name} is not the newest`);
  }
  if (!resourceType(type).fullState && model.wire === "sotw") return texts;
  for (const [name, { body }] of model.held) {
    const gone = state.find(type, name) === undefined && state.everHad(type, name) && model.owes(name, false);
    if (gone && !isBlank(name, body)) texts.push(`${type} ${name} is gone, and the client was never told`);
  }
  return texts;
}

/** Nothing but the name: the answer for something that does not exist, or has nothing in it. */
const isBlank = (name: string, body: Uint8Array): boolean => body.length <= Buffer.byteLength(name) + 4;
