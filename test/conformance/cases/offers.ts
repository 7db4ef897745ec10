import { digestOf } from "../canonical.ts";
import type { CaseContext } from "../case.ts";
import type { Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { type RawResource, resource } from "../resources.ts";

/** Puts `names`, asks for them, and has the answer, not acknowledged yet. */
export async function offered(
  context: CaseContext,
  ...shorts: readonly string[]
): Promise<{ readonly stream: XdsStream; readonly response: Response }> {
  const { put, open, name, type } = context;
  const names = shorts.map(name);
  await put(...names.map((one) => resource(type, one)));
  const stream = open();
  stream.ask(type, names);
  return { stream, response: await stream.expect(type) };
}

/** The same, acknowledged. */
export async function accepted(
  context: CaseContext,
  ...shorts: readonly string[]
): Promise<{ readonly stream: XdsStream; readonly response: Response }> {
  const { stream, response } = await offered(context, ...shorts);
  stream.ack(response);
  return { stream, response };
}

/** Accepts what comes until it is quiet: where an answer may come, and need not. Fails when it does not become quiet. */
export async function acceptUntilQuiet({ type, quietMs }: CaseContext, stream: XdsStream): Promise<void> {
  for (let left = 4; left > 0; left--) {
    const answer = await stream.perhaps(type, quietMs);
    if (answer === undefined) return;
    stream.ack(answer);
  }
  await stream.quiet(type, quietMs);
}

export const has =
  (name: string) =>
  ({ resources }: Response): boolean =>
    resources.some((one) => one.name === name);

export const namesOf = ({ resources }: Response): readonly string[] => resources.map(({ name }) => name);

/** It carries the resource in exactly this content. */
export const hasAs =
  (wanted: RawResource) =>
  ({ resources }: Response): boolean =>
    resources.some(
      ({ name, body }) =>
        name === wanted.name &&
        body !== undefined &&
        digestOf(wanted.type, body) === digestOf(wanted.type, wanted.bytes),
    );
/** It is there, with nothing but its name in it: an assignment without endpoints, a layer without values. */
export const isEmpty =
  (name: string) =>
  ({ resources }: Response): boolean =>
    resources.some((one) => one.name === name && (one.body?.length ?? 0) <= Buffer.byteLength(name) + 4);
