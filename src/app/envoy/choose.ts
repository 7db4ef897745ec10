import { MeshError } from "../../base/errors.ts";
import { containerLauncher, envoyImage } from "./container.ts";
import { findContainerEngine } from "./container-engine.ts";
import type { EnvoyBinary } from "./find.ts";
import { type EnvoyLauncher, processLauncher } from "./launch.ts";

/** How this user wants Envoys run: `FAIRWAY_ENVOY=container`, else as child processes. */
export async function chooseLauncher(env: NodeJS.ProcessEnv, binary: EnvoyBinary): Promise<EnvoyLauncher> {
  const choice = env["FAIRWAY_ENVOY"] || "process";
  if (choice === "process") return processLauncher(binary.path);
  if (choice === "container") {
    const engine = await findContainerEngine(env);
    return containerLauncher(engine, await envoyImage(engine, binary));
  }
  throw new MeshError("usage/invalid", `FAIRWAY_ENVOY is ${JSON.stringify(choice)}`, {
    hint: "Set it to process or container, or unset it.",
  });
}
