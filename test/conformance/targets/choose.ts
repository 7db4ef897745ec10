import type { Expectation } from "../expect/expectation.ts";
import { goControlPlaneExpectations } from "../expect/go-control-plane.ts";
import { createAddressTarget } from "./address.ts";
import { createFairwayTarget } from "./fairway.ts";
import { buildProgram } from "./go-control-plane/build.ts";
import { configs, createGoControlPlaneTarget } from "./go-control-plane/target.ts";
import type { Target } from "./target.ts";

export interface Chosen {
  readonly target: Target;
  readonly expectations: readonly Expectation[];
}

/** By the text of `--target`; a target without its configuration is the first one. Throws for a text that names none. */
export async function chooseTarget(text: string, env: NodeJS.ProcessEnv): Promise<Chosen> {
  if (text === "fairway") return { target: createFairwayTarget(), expectations: [] };
  const [name, wanted = configs[0]] = text.split(":");
  const config = configs.find((one) => one === wanted);
  if (name === "go-control-plane" && config !== undefined) {
    const target = createGoControlPlaneTarget(config, await buildProgram(env));
    return { target, expectations: goControlPlaneExpectations };
  }
  const [, address] = /^grpc:\/\/([^/]+:\d+)$/.exec(text) ?? [];
  if (address !== undefined) return { target: createAddressTarget(address), expectations: [] };
  throw new Error(
    `no such target: ${text}; there are fairway, go-control-plane:{${configs.join(",")}} and grpc://HOST:PORT`,
  );
}
