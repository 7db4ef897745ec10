import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { type DeltaDriver, type Driver, type Sent, SotwDriver } from "./driver.ts";

/** Refused by every client of this model, in whatever company. */
export const badVersion = "bad";

interface Asking {
  readonly names: ReadonlySet<string>;
  readonly wildcard: boolean;
}

interface TypeModel {
  asking: Asking | undefined;
  /** No name was ever given on this stream. */
  implicit: boolean;
  /** Name to version. */
  readonly held: Map<string, string>;
  /** What the server has sent on this stream, and why it may send it again: name to version. */
  readonly sent: Map<string, string>;
  /** Names that may come again in the version that was sent: asked for again, coupled, or refused in company. */
  readonly mayRepeat: Set<string>;
  nonce: string;
}

/**
 * A client that asks for whatever it likes, in any order, with the protocol's rules of subscriptions written down a second
 * time. Requests reach the server at once, responses the client when `take` says so. Each response is held to the rules.
 */
export class FreeClient {
  readonly #newStream: () => DeltaDriver | SotwDriver;
  #stream: DeltaDriver | SotwDriver;
  readonly #types = new Map<TypeName, TypeModel>();
  #inbox: Sent[] = [];
  readonly faults: string[] = [];

  constructor(newStream: () => DeltaDriver | SotwDriver) {
    this.#newStream = newStream;
    this.#stream = newStream();
  }

  get stream(): Driver<never> {
    return this.#stream as unknown as Driver<never>;
  }

  #model(type: TypeName): TypeModel {
    const found = this.#types.get(type) ?? {
      asking: undefined,
      implicit: true,
      held: new Map(),
      sent: new Map(),
      mayRepeat: new Set<string>(),
      nonce: "",
    };
    this.#types.set(type, found);
    return found;
  }

  /** The server turns to another world: what comes back after it was gone may be sent again, even if nobody could be told. */
  set(world: ResourceSet): void {
    for (const [type, model] of this.#types) {
      for (const name of model.sent.keys()) if (!world.resources[type].has(name)) model.mayRepeat.add(name);
    }
    this.stream.set(world);
  }

  /** State-of-the-world: the whole list. Delta: names to subscribe, and with a `-` to unsubscribe. */
  ask(type: TypeName, list: readonly string[], nonce = "", error?: string): void {
    const model = this.#model(type);
    const answer = { nonce, ...(error !== undefined && { error }) };
    if (this.#stream instanceof SotwDriver) {
      const names = list.filter((name) => !name.startsWith("-"));
      this.#sotwAsks(type, model, names);
      this.#stream.ask(type, names, answer);
    } else {
      this.#deltaAsks(type, model, list);
      this.#stream.ask(type, list, {}, answer);
    }
    this.collect();
  }

  #sotwAsks(type: TypeName, model: TypeModel, names: readonly string[]): void {
    const before = model.asking;
    const mayBeWild = resourceType(type).wildcard;
    model.implicit = model.implicit && names.length === 0;
    const named = new Set(names.filter((name) => name !== "*"));
    model.asking = { names: named, wildcard: mayBeWild && (model.implicit || names.includes("*")) };
    for (const name of named) if (before?.names.has(name) !== true) model.mayRepeat.add(name);
    this.#forgetUncovered(model);
  }

  #deltaAsks(type: TypeName, model: TypeModel, list: readonly string[]): void {
    const before = model.asking;
    const mayBeWild = resourceType(type).wildcard;
    const names = new Set(before?.names);
    let wildcard = before?.wildcard ?? (mayBeWild && list.length === 0);
    for (const name of list) {
      if (name.startsWith("-")) continue;
      if (name === "*") wildcard = mayBeWild;
      else names.add(name);
      for (const again of name === "*" ? model.sent.keys() : [name]) model.mayRepeat.add(again);
    }
    for (const entry of list) {
      if (!entry.startsWith("-")) continue;
      const name = entry.slice(1);
      if (name === "*") wildcard = false;
      else if (names.delete(name) && wildcard) model.mayRepeat.add(name);
    }
    model.asking = { names, wildcard };
    this.#forgetUncovered(model);
  }

  /** What a client no longer asks for it forgets, and hears no more of. */
  #forgetUncovered(model: TypeModel): void {
    for (const map of [model.held, model.sent]) {
      for (const name of [...map.keys()]) if (!isCovered(model.asking, name)) map.delete(name);
    }
  }

  collect(): void {
    for (const response of this.#stream.responses()) {
      this.#check(response);
      this.#inbox.push(response);
    }
  }

  #check({ type, content }: Sent): void {
    const model = this.#model(type.short);
    const { resources, removed, bodiless, missing } = content;
    const present = resources.map(({ name }) => name);
    const names = [...present, ...removed, ...bodiless];
    const fault = (text: string): void => {
      this.faults.push(`${type.short} ${text}: ${JSON.stringify({ present, removed, bodiless, missing })}`);
    };
    if (model.asking === undefined) fault("was not asked for");
    if (new Set(names).size !== names.length) fault("names twice");
    if (this.#stream instanceof SotwDriver && removed.length + bodiless.length > 0) fault("says what it cannot");
    const uninvited = names.filter((name) => !isCovered(model.asking, name) && !model.mayRepeat.has(name));
    if (uninvited.length > 0) fault(`${uninvited.join(" ")} was not asked for`);
    const isWhole = this.#stream instanceof SotwDriver && type.fullState;
    for (const { name, version } of resources) {
      const known = model.sent.get(name) === version && version !== "absent";
      if (!isWhole && known && !model.mayRepeat.has(name)) fault(`${name} came twice in one version`);
    }
    if (isWhole) model.sent.clear();
    for (const { name, version } of resources) {
      model.sent.set(name, version);
      model.mayRepeat.delete(name);
      if (type.short === "CDS") this.#model("EDS").mayRepeat.add(name);
      if (type.short === "RDS")
        for (const host of this.#model("VHDS").sent.keys()) this.#model("VHDS").mayRepeat.add(host);
    }
    for (const name of [...removed, ...bodiless]) {
      model.sent.delete(name);
      model.mayRepeat.delete(name);
    }
  }

  /** One response arrives, and is answered: refused if something in it is bad. The names may change with the answer. */
  take(change: readonly string[] = []): boolean {
    const response = this.#inbox.shift();
    if (response === undefined) return false;
    const { type, content, nonce } = response;
    const model = this.#model(type.short);
    model.nonce = nonce;
    const isBad = content.resources.some(({ version }) => version === badVersion);
    this.#apply(response);
    if (isBad && content.resources.length > 1) for (const { name } of content.resources) model.mayRepeat.add(name);
    this.ask(type.short, this.#listWith(model, change), nonce, isBad ? "bad" : undefined);
    return true;
  }

  #listWith({ asking, implicit }: TypeModel, change: readonly string[]): readonly string[] {
    if (!(this.#stream instanceof SotwDriver)) return change;
    const names = [...(asking?.wildcard === true && !implicit ? ["*"] : []), ...(asking?.names ?? [])];
    return change.length === 0 ? names : [...names, ...change];
  }

  /** Takes the good ones, as Envoy does, and what is gone. */
  #apply({ type, content: { resources, removed } }: Sent): void {
    const { held, asking } = this.#model(type.short);
    const good = resources.filter(({ version }) => version !== badVersion);
    if (this.#stream instanceof SotwDriver && type.fullState) {
      const present = new Set(resources.map(({ name }) => name));
      for (const name of [...held.keys()]) if (!present.has(name)) held.delete(name);
    }
    for (const { name, version } of good) if (isCovered(asking, name)) held.set(name, version);
    for (const name of removed) held.delete(name);
  }

  /** The same answer once more, or one to a response that was answered long ago. */
  repeatAnswer(type: TypeName): void {
    const model = this.#model(type);
    if (model.asking === undefined) return;
    this.ask(type, this.#listWith(model, []), model.nonce);
  }

  reconnect(): void {
    this.#stream = this.#newStream();
    this.#inbox = [];
    for (const model of this.#types.values()) {
      Object.assign(model, { asking: undefined, implicit: true, nonce: "" });
      for (const map of [model.held, model.sent, model.mayRepeat]) map.clear();
    }
  }

  /** Everything arrives and is answered, all timers run out, until nothing happens any more. */
  settle(): void {
    for (let round = 0; round < 2_000; round++) {
      this.collect();
      if (this.take()) continue;
      const [timer] = this.#stream.timers;
      if (timer === undefined) return;
      this.#stream.fire(timer);
    }
    throw new Error("the stream does not come to rest");
  }

  asking(type: TypeName): Asking | undefined {
    return this.#types.get(type)?.asking;
  }

  held(type: TypeName): ReadonlyMap<string, string> {
    return this.#model(type).held;
  }
}

const isCovered = (asking: Asking | undefined, name: string): boolean =>
  asking !== undefined && (asking.wildcard || asking.names.has(name));
