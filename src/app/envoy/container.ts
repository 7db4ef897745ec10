import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { MeshError } from "../../base/errors.ts";
import type { ContainerEngine } from "./container-engine.ts";
import type { EnvoyBinary } from "./find.ts";
import { type EnvoyLauncher, launcherOf } from "./launch.ts";

const run = promisify(execFile);
const buildTimeoutMs = 120_000;

/** Where the binary lies in the image. */
const envoyInImage = "/usr/local/bin/envoy";

/**
 * Runs Envoy in a container on the host's network, so that ports and addresses are the same as for a process.
 * The folder of each Envoy is seen inside under its own name.
 */
export function containerLauncher(engine: ContainerEngine, image: string): EnvoyLauncher {
  return launcherOf((args, dir) => {
    const name = `fairway-envoy-${crypto.randomUUID()}`;
    return {
      command: engine.command,
      args: [
        ...[...engine.globalFlags, "run", "--rm", "--name", name, "--network=host", "--security-opt", "label=disable"],
        ...[...engine.runFlags, "--volume", `${dir}:${dir}`, image, ...args],
      ],
      endWith: [engine.command, ...engine.globalFlags, "rm", "--force", name],
    };
  });
}

/**
 * The image with this very binary and the libraries that it loads, and nothing else; built at first use (about 4 s,
 * nothing is pulled), kept by the engine under its version. Returns the image's name. Throws `envoy/failed`.
 */
export async function envoyImage(engine: ContainerEngine, binary: EnvoyBinary): Promise<string> {
  const image = `localhost/fairway-envoy:${binary.version}`;
  if (await hasImage(engine, image)) return image;
  const context = await mkdtemp(join(tmpdir(), "fairway-image-"));
  try {
    const root = join(context, "root");
    await copyInto(root, binary.path, envoyInImage);
    for (const library of await librariesOf(binary.path)) await copyInto(root, library, library);
    await writeFile(join(context, "Dockerfile"), `FROM scratch\nCOPY root/ /\nENTRYPOINT ["${envoyInImage}"]\n`);
    const args = [...engine.globalFlags, "build", "--network=host", ...engine.buildFlags, "--tag", image, context];
    await run(engine.command, args, { timeout: buildTimeoutMs });
    return image;
  } catch (cause) {
    const { stderr, message } = cause as { readonly stderr?: string; readonly message: string };
    const said = (stderr?.trim() || message).split("\n").at(-1)?.slice(0, 300);
    throw new MeshError("envoy/failed", `${engine.name} cannot build the image ${image}: ${said}`, { cause });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

const hasImage = (engine: ContainerEngine, image: string): Promise<boolean> =>
  run(engine.command, [...engine.globalFlags, "image", "inspect", image]).then(
    () => true,
    () => false,
  );

/** What `ldd` names by an absolute path: `libm.so.6 => /lib/… (0x…)`, and the loader itself as the kernel looks it up. */
async function librariesOf(binary: string): Promise<readonly string[]> {
  if (process.platform !== "linux")
    throw new Error("containers run Linux binaries only, and Fairway's is not one here");
  const { stdout } = await run("ldd", [binary]);
  return stdout.split("\n").flatMap((line) => /^\s*(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

async function copyInto(root: string, file: string, as: string): Promise<void> {
  await mkdir(dirname(join(root, as)), { recursive: true });
  await copyFile(file, join(root, as));
}
