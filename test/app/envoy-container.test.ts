import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, type TestContext, test } from "vitest";
import { containerLauncher, envoyImage } from "../../src/app/envoy/container.ts";
import { type ContainerEngine, findContainerEngine } from "../../src/app/envoy/container-engine.ts";
import { envoyBinary, launchTestEnvoy } from "../support/envoy.ts";
import { fakeCommands } from "../support/fake-commands.ts";
import { isOpen } from "../support/process.ts";
import { realPart } from "../support/real-part.ts";
import { answeringListener, staticBootstrap } from "../support/static-envoy.ts";

const run = promisify(execFile);

const realEngine = (context: TestContext): Promise<ContainerEngine> =>
  realPart(context, "a container engine", async () => {
    if (process.platform !== "linux")
      throw new Error("the image is made of this machine's binary, and needs a Linux one");
    return findContainerEngine(process.env);
  });

/** The containers that see this folder. Other tests may run some of their own. */
async function containersWith(folder: string, { command, globalFlags }: ContainerEngine): Promise<readonly string[]> {
  const args = ["ps", "--all", "--filter", `volume=${folder}`, "--format", "{{.Names}}"];
  const { stdout } = await run(command, [...globalFlags, ...args]);
  return stdout.split("\n").filter((name) => name !== "");
}

test("the same Envoy runs in a container, serves, and leaves no container and no port", async (context) => {
  const engine = await realEngine(context);
  const binary = await envoyBinary(context);
  const image = await envoyImage(engine, binary);
  expect(image).toBe(`localhost/fairway-envoy:${binary.version}`);

  const envoy = await launchTestEnvoy({
    cleanup: context.onTestFinished,
    launcher: containerLauncher(engine, image),
    bootstrap: staticBootstrap([answeringListener("hello", "from a container\n")]),
  });
  const admin = await envoy.ready();
  expect(await admin.serverInfo()).toEqual({ version: binary.version, state: "LIVE" });
  expect(await containersWith(envoy.dir, engine)).toEqual([expect.stringMatching(/^fairway-envoy-/)]);
  const [listener] = await admin.listeners();
  const answer = await fetch(`http://127.0.0.1:${listener?.address?.port}/`);
  expect(await answer.text()).toBe("from a container\n");

  expect(await envoy.stop()).toEqual({ code: 0, signal: null });
  expect(await isOpen(admin.address)).toBe(false);
  expect(await containersWith(envoy.dir, engine)).toEqual([]);
});

test("a container whose Envoy does not end in time is removed by force", async (context) => {
  const engine = await realEngine(context);
  const image = await envoyImage(engine, await envoyBinary(context));
  const envoy = await launchTestEnvoy({
    cleanup: context.onTestFinished,
    launcher: containerLauncher(engine, image),
    bootstrap: staticBootstrap(),
  });
  const admin = await envoy.ready();
  await envoy.stop({ graceMs: 0 });
  expect(await isOpen(admin.address)).toBe(false);
  expect(await containersWith(envoy.dir, engine)).toEqual([]);
});

test.for([
  ["docker, where its engine runs", ["docker", "podman"], "docker"],
  ["podman, where docker is a client without an engine", ["podman"], "podman"],
] as const)("the engine is %s", async ([, working, name], context) => {
  const { add, bin } = fakeCommands(context);
  for (const engine of ["docker", "podman"] as const) {
    add(engine, (working as readonly string[]).includes(engine) ? "echo 1" : "echo no daemon >&2; exit 1");
  }
  const engine = await findContainerEngine({ PATH: bin });
  expect(engine.name).toBe(name);
  // runc is asked for only where it is installed.
  expect(engine.runFlags).not.toContain("--runtime=runc");
  add("runc", "exit 0");
  expect((await findContainerEngine({ PATH: bin })).runFlags.includes("--runtime=runc")).toBe(name === "podman");
});

test("without an engine the message says why", async (context) => {
  const { add, bin } = fakeCommands(context);
  add("docker", "echo no daemon >&2; exit 1");
  await expect(findContainerEngine({ PATH: bin })).rejects.toMatchObject({
    code: "envoy/not-found",
    message: "no container engine found: docker does not work: no daemon; no podman is on the PATH",
    hint: "Install podman (with runc) or start Docker, or unset FAIRWAY_ENVOY to run Envoy as a process.",
  });
});

test("an image that cannot be built is told in the engine's words", async (context) => {
  const { add } = fakeCommands(context);
  const binary = { path: process.execPath, version: "1.40.0", from: "PATH" } as const;
  context.skip(process.platform !== "linux", "images are made on Linux only");
  const command = add("engine", "echo disk full >&2; exit 1");
  const engine = { command, name: "podman", globalFlags: [], runFlags: [], buildFlags: [] } as const;
  await expect(envoyImage(engine, binary)).rejects.toMatchObject({
    code: "envoy/failed",
    message: `podman cannot build the image localhost/fairway-envoy:1.40.0: disk full`,
  });
});
