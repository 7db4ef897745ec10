import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { digestOf } from "../canonical.ts";
import { type CaseContext, ensureNames } from "../case.ts";
import type { ReceivedResource, Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { type RawResource, resource } from "../resources.ts";

/** What some responses of one type brought together. */
export interface Gathered {
  /** The latest of each name, unless it was removed later. */
  readonly resources: ReadonlyMap<string, ReceivedResource>;
  readonly removed: ReadonlySet<string>;
  readonly responses: readonly Response[];
}

/**
 * Accepts responses of the type until these names have come and those were removed: how a server divides an answer is its own
 * business. Rejects when they do not come in time.
 */
export async function gather(
  stream: XdsStream,
  type: TypeName,
  { present = [], removed = [] }: { readonly present?: readonly string[]; readonly removed?: readonly string[] },
  onResponse: (response: Response) => void = () => {},
): Promise<Gathered> {
  const resources = new Map<string, ReceivedResource>();
  const gone = new Set<string>();
  const responses: Response[] = [];
  const lacks = (): boolean => present.some((name) => !resources.has(name)) || removed.some((name) => !gone.has(name));
  while (lacks()) {
    const response = await stream.accept(type);
    responses.push(response);
    onResponse(response);
    for (const one of response.resources) {
      resources.set(one.name, one);
      gone.delete(one.name);
    }
    for (const name of response.removed) {
      resources.delete(name);
      gone.add(name);
    }
  }
  return { resources, removed: gone, responses };
}

/**
 * Returns when the server has handled everything that this delta stream has sent: what is asked for last is answered last. Fails
 * when anything else comes.
 */
export async function handled({ put, name, type }: CaseContext, stream: XdsStream): Promise<void> {
  const fence = name("fence");
  await put(resource(type, fence));
  stream.send(type, { subscribe: [fence] });
  const { resources, removed } = await gather(stream, type, { present: [fence] });
  ensureNames([...resources.keys(), ...removed], [fence], "what came in between");
}

/** Whether a response carries this very content, in whatever order a server has written its fields. */
export function carries({ type, name, bytes }: RawResource): (response: Response) => boolean {
  const digest = digestOf(type, bytes);
  const isIt = (one: ReceivedResource): boolean =>
    one.name === name && one.body !== undefined && digestOf(type, one.body) === digest;
  return ({ resources }) => resources.some(isIt);
}

/**
 * Accepts responses until this content has come: a server may give what it had first, where other streams have to come before.
 * All names that came with it and before it.
 */
export async function acceptContent(stream: XdsStream, wanted: RawResource): Promise<readonly string[]> {
  const isIt = carries(wanted);
  const names: string[] = [];
  for (;;) {
    const response = await stream.accept(wanted.type);
    names.push(...namesIn(response));
    if (isIt(response)) return names;
  }
}

export const namesIn = ({ resources }: Response): readonly string[] => resources.map(({ name }) => name);

/** Of what a delta response carries: name to version, as `initial_resource_versions` wants it. */
export const versionsIn = ({ resources }: Response): Readonly<Record<string, string>> =>
  Object.fromEntries(resources.map(({ name, version }) => [name, version]));
