import { perType, resourceType, resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import type { Driver, Sent } from "./driver.ts";
import { type DeltaDriver, SotwDriver } from "./driver.ts";

type Held = Readonly<Record<TypeName, Map<string, string>>>;

/**
 * A correct client, and the wire between: what it sends and what is sent to it arrives in order, but only when `deliver` says so.
 * It asks for all clusters and listeners, for the endpoints of the clusters it has, and for routes as told.
 */
export class ModelClient {
  readonly #newStream: () => DeltaDriver | SotwDriver;
  readonly #routeExists: (name: string) => boolean;
  #stream: DeltaDriver | SotwDriver;
  #toServer: { readonly type: TypeName; readonly names: readonly string[]; readonly send: () => void }[] = [];
  /** Names of the last request of each type that has arrived at the server. */
  readonly #asked = new Map<TypeName, readonly string[]>();
  #toClient: Sent[] = [];
  readonly #nonces = new Map<TypeName, string>();
  #routes: ReadonlySet<string> = new Set();
  #endpoints: ReadonlySet<string> = new Set();
  #opened = new Set<TypeName>();
  /** Types answered on this stream, and routes sent on it: what came on an earlier one may be of another world. */
  readonly #answered = new Set<TypeName>();
  readonly #sentRoutes = new Set<string>();
  #refuseNext = false;
  readonly held: Held = perType(() => new Map<string, string>());
  /** A cluster must have its endpoints, too, before a route names it. */
  strict = false;
  /** Every protocol rule that was broken, in words. */
  readonly faults: string[] = [];

  constructor(newStream: () => DeltaDriver | SotwDriver, routeExists: (name: string) => boolean) {
    this.#newStream = newStream;
    this.#routeExists = routeExists;
    this.#stream = newStream();
  }

  get stream(): Driver<never> {
    return this.#stream as unknown as Driver<never>;
  }

  /** Starts one more type, in an order of the test's choosing. */
  open(type: TypeName): void {
    if (this.#opened.has(type)) return;
    this.#opened.add(type);
    const names = this.#namesOf(type);
    this.#request(type, names, [], true);
  }

  #namesOf(type: TypeName): readonly string[] {
    if (type === "EDS") return [...this.#endpoints];
    return type === "RDS" ? [...this.#routes] : [];
  }

  wantRoutes(names: ReadonlySet<string>): void {
    const before = this.#routes;
    this.#routes = names;
    for (const name of before.difference(names)) {
      this.held.RDS.delete(name);
      this.#sentRoutes.delete(name);
    }
    this.#change("RDS", before, names);
  }

  #change(type: TypeName, before: ReadonlySet<string>, after: ReadonlySet<string>): void {
    const [added, gone] = [after.difference(before), before.difference(after)];
    if (this.#opened.has(type) && added.size + gone.size > 0) this.#request(type, [...added], [...gone]);
  }

  #request(type: TypeName, added: readonly string[], gone: readonly string[], first = false, answer = {}): void {
    const stream = this.#stream;
    const all = this.#namesOf(type);
    if (stream instanceof SotwDriver) {
      const sent = { nonce: first ? "" : (this.#nonces.get(type) ?? ""), ...answer };
      this.#toServer.push({ type, names: all, send: () => stream.ask(type, all, sent) });
    } else {
      const known = first ? Object.fromEntries(this.held[type]) : {};
      const change = [...added, ...gone.map((name) => `-${name}`)];
      const list = first && type !== "EDS" && type !== "RDS" ? ["*"] : change;
      this.#toServer.push({ type, names: all, send: () => stream.ask(type, list, known, answer) });
    }
  }

  /** Refuses the next response that arrives. */
  refuseNext(): void {
    this.#refuseNext = true;
  }

  reconnect(): void {
    this.#stream = this.#newStream();
    this.#toServer = [];
    this.#toClient = [];
    this.#nonces.clear();
    this.#asked.clear();
    this.#answered.clear();
    this.#sentRoutes.clear();
    const types = this.#opened;
    this.#opened = new Set();
    for (const type of types) this.open(type);
  }

  /** One message arrives at the server. False: there was none. */
  deliverToServer(): boolean {
    const message = this.#toServer.shift();
    if (message === undefined) return false;
    this.#asked.set(message.type, message.names);
    message.send();
    this.collect();
    return true;
  }

  /** Takes over what the server has sent. */
  collect(): void {
    const responses = this.#stream.responses();
    for (const response of responses) this.#check(response);
    this.#toClient.push(...responses);
  }

  /** One message arrives at the client, which answers. False: there was none. */
  deliverToClient(): boolean {
    const response = this.#toClient.shift();
    if (response === undefined) return false;
    const type = response.type.short;
    this.#nonces.set(type, response.nonce);
    const refused = this.#refuseNext;
    this.#refuseNext = false;
    this.#apply(refused ? { ...response, content: { ...response.content, resources: [] } } : response, refused);
    this.#answered.add(type);
    this.#request(type, [], [], false, {
      nonce: response.nonce,
      ...(refused ? { error: "refused by the model" } : {}),
    });
    if (type === "CDS") this.#followClusters();
    return true;
  }

  #check({ type, content: { resources, removed } }: Sent): void {
    const names = [...resources.map(({ name }) => name), ...removed];
    const asked = this.#asked.get(type.short);
    if (asked === undefined) this.faults.push(`${type.short} was not asked for`);
    const uninvited = type.wildcard ? [] : names.filter((name) => !asked?.includes(name));
    if (uninvited.length > 0) this.faults.push(`${type.short} ${uninvited.join(" ")} not asked for`);
    if (new Set(names).size !== names.length) this.faults.push(`${type.short} names twice: ${names.join(" ")}`);
    if (resources.some((resource) => resource.type !== type.short))
      this.faults.push(`${type.short} has another type in it`);
  }

  /** Like Envoy, the client carries out removals even if it refuses the rest. */
  #apply({ type, content: { resources, removed } }: Sent, refused: boolean): void {
    const held = this.held[type.short];
    if (this.#stream instanceof SotwDriver && type.fullState && !refused) held.clear();
    for (const { name, version } of resources) {
      if (!type.wildcard && !this.#namesOf(type.short).includes(name)) continue;
      held.set(name, version);
      if (type.short === "RDS") this.#sentRoutes.add(name);
    }
    for (const name of removed) held.delete(name);
    this.#checkReferences();
  }

  /**
   * No route that came on this stream names a cluster that the client has not, once it has been told of clusters. A route that
   * no longer exists does not count: nothing uses it, and this client does not drop it by itself.
   */
  #checkReferences(): void {
    if (!this.#answered.has("CDS")) return;
    for (const name of this.#sentRoutes) {
      const cluster = this.held.RDS.get(name)?.split("/")[0];
      if (!this.#routeExists(name) || cluster === undefined) continue;
      if (!this.held.CDS.has(cluster)) this.faults.push(`${name} names the missing ${cluster}`);
      else if (this.strict && !this.held.EDS.has(cluster))
        this.faults.push(`${name} names ${cluster} without endpoints`);
    }
  }

  #followClusters(): void {
    const before = this.#endpoints;
    this.#endpoints = new Set(this.held.CDS.keys());
    for (const name of before.difference(this.#endpoints)) this.held.EDS.delete(name);
    this.#change("EDS", before, this.#endpoints);
  }

  /** Opens what is not open, delivers everything both ways and lets all timers run out, until nothing happens any more. */
  settle(): void {
    for (const { short } of resourceTypes) this.open(short);
    for (let round = 0; round < 1_000; round++) {
      this.collect();
      if (this.deliverToServer() || this.deliverToClient()) continue;
      const [timer] = this.#stream.timers;
      if (timer === undefined) return;
      this.#stream.fire(timer);
    }
    throw new Error("the stream does not come to rest");
  }

  wanted(type: TypeName): readonly string[] | "all" {
    return resourceType(type).wildcard ? "all" : this.#namesOf(type);
  }
}
