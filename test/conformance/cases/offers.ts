import type { CaseContext } from "../case.ts";
import type { Response } from "../client/response.ts";
import type { XdsStream } from "../client/stream.ts";
import { resource } from "../resources.ts";

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

export const has =
  (name: string) =>
  ({ resources }: Response): boolean =>
    resources.some((one) => one.name === name);
