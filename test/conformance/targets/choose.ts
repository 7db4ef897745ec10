import type { Expectation } from "../expect/expectation.ts";
import { createAddressTarget } from "./address.ts";
import { createFairwayTarget } from "./fairway.ts";
import type { Target } from "./target.ts";

export interface Chosen {
  readonly target: Target;
  readonly expectations: readonly Expectation[];
}

/** By the text of `--target`; throws for one that names none. */
export async function chooseTarget(text: string): Promise<Chosen> {
  if (text === "fairway") return { target: createFairwayTarget(), expectations: [] };
  const [, address] = /^grpc:\/\/([^/]+:\d+)$/.exec(text) ?? [];
  if (address !== undefined) return { target: createAddressTarget(address), expectations: [] };
  throw new Error(`no such target: ${text}; there are fairway and grpc://HOST:PORT`);
}
