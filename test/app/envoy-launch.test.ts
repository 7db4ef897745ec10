import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { chooseLauncher } from "../../src/app/envoy/choose.ts";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { validateBootstrap } from "../../src/app/envoy/validate.ts";
import type { MeshError } from "../../src/base/errors.ts";
import { bootstrapFor, nodeIdOf } from "../../src/envoy/bootstrap.ts";
import { envoyBinary, envoyLines, launchTestEnvoy, startEnvoy } from "../support/envoy.ts";
import { fakeCommands } from "../support/fake-commands.ts";
import { isOpen, isRunning } from "../support/process.ts";
import { answeringListener, httpListener, staticBootstrap } from "../support/static-envoy.ts";
import { waitFor } from "../support/wait-for.ts";

describe.for(envoyLines)("Envoy %s", (line) => {
  test("serves, answers on its admin port, and leaves no process and no port", async (context) => {
    const { path, version } = await envoyBinary(context, line);
    const envoy = await launchTestEnvoy({
      cleanup: context.onTestFinished,
      launcher: processLauncher(path),
      bootstrap: staticBootstrap([answeringListener("hello", "hello\n")]),
    });
    const admin = await envoy.ready();
    expect(await admin.serverInfo()).toEqual({ version, state: "LIVE" });

    const [listener] = await admin.listeners();
    expect(listener).toMatchObject({ name: "hello", address: { host: "127.0.0.1" } });
    const answer = await fetch(`http://127.0.0.1:${listener?.address?.port}/`);
    expect(await answer.text()).toBe("hello\n");
    expect(await admin.stats("^http\\.hello\\.downstream_rq_2xx$")).toEqual(
      new Map([["http.hello.downstream_rq_2xx", 1]]),
    );
    expect(await admin.configDump({ resource: "static_listeners" })).toMatchObject({
      configs: [{ listener: { name: "hello" } }],
    });
    expect(await admin.clusters()).toEqual({});
    expect(await admin.initDump()).toEqual({});
    await admin.drainListeners();
    await waitFor(async () => !(await isOpen(`127.0.0.1:${listener?.address?.port}`)));

    const started = performance.now();
    expect(await envoy.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(isRunning(envoy.pid)).toBe(false);
    expect(await isOpen(admin.address)).toBe(false);
    expect(await admin.isLive()).toBe(false);
    // Without a limit Envoy has this one complaint: our own bootstraps set it.
    expect(envoy.warnings()).toEqual([expect.stringContaining("allowed active downstream connections")]);
    expect(readFileSync(envoy.logFile, "utf8")).toContain("exiting");
  });

  test.for([
    ["an address, delta", { host: "127.0.0.1", variant: "delta" }],
    ["a name, state of the world", { host: "localhost", variant: "sotw" }],
    ["an IPv6 address", { host: "::1", variant: "delta" }],
  ] as const)("takes our bootstrap without a complaint: %s", async ([, xds], context) => {
    const { path } = await envoyBinary(context, line);
    const envoy = await launchTestEnvoy({
      cleanup: context.onTestFinished,
      launcher: processLauncher(path),
      bootstrap: bootstrapFor({
        node: {
          id: nodeIdOf({ kind: "gateway", ip: "127.0.0.9", name: "gw", namespace: "shop", domain: "cluster.local" }),
          cluster: "gw.shop",
          locality: { region: "eu", zone: "eu-1", subzone: "rack-7" },
          metadata: { LABELS: { app: "gw" } },
        },
        xds: { ...xds, port: 9 },
        admin: { host: "127.0.0.1", port: 0 },
      }),
    });
    const admin = await envoy.admin();
    await waitFor(() => envoy.log.some(({ text }) => text === "starting main dispatch loop"));
    const dump = await admin.configDump({ mask: "bootstrap.node.id,bootstrap.node.locality" });
    expect(dump).toMatchObject({
      configs: expect.arrayContaining([
        expect.objectContaining({
          bootstrap: {
            node: {
              id: "router~127.0.0.9~gw.shop~shop.svc.cluster.local",
              locality: { region: "eu", zone: "eu-1", sub_zone: "rack-7" },
            },
          },
        }),
      ]),
    });
    expect(envoy.warnings()).toEqual([]);
  });

  test("says which field it will not take for long", async (context) => {
    const { path } = await envoyBinary(context, line);
    const bootstrap = staticBootstrap(
      [httpListener("old", { route: { cluster: "c", max_grpc_timeout: "1s" } })],
      [{ name: "c", connect_timeout: "1s" }],
    );
    const { valid, problems } = await validateBootstrap(path, bootstrap);
    expect(valid).toBe(true);
    expect(problems.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^Deprecated field: .*max_grpc_timeout/),
    );
  });

  test("says why it takes a configuration not at all", async (context) => {
    const { path } = await envoyBinary(context, line);
    const bootstrap = staticBootstrap([], [{ name: "c", nonsense: 1 }]);
    const { valid, problems } = await validateBootstrap(path, bootstrap);
    expect(valid).toBe(false);
    expect(problems.at(-1)?.text).toMatch(/no such field: 'nonsense'/);

    const envoy = await launchTestEnvoy({
      cleanup: context.onTestFinished,
      launcher: processLauncher(path),
      name: "reviews v2",
      bootstrap,
    });
    const error = await envoy.ready().then(
      () => expect.unreachable(),
      (thrown: MeshError) => thrown,
    );
    expect(error.code).toBe("envoy/failed");
    expect(error.message).toMatch(/^Envoy reviews v2 ended with status 1: .*no such field: 'nonsense'/s);
    expect(error.hint).toBe(`Its log is ${envoy.logFile}.`);
  });
});

test("without a control plane it is not ready, and says so in time", async (context) => {
  const envoy = await startEnvoy({
    context,
    node: { id: "sidecar~127.0.0.9~a.b~b.svc.cluster.local", cluster: "a.b" },
    xdsPort: 9,
  });
  await expect(envoy.ready({ timeoutMs: 100 })).rejects.toThrow(
    "Envoy sidecar~127.0.0.9~a.b~b.svc.cluster.local is not ready within 0.1 s",
  );
});

test("what does not end by itself is ended, with its children", async (context) => {
  const { add, dir } = fakeCommands(context);
  const pidFile = join(dir, "pid");
  const stubborn = add("stubborn", `trap "" TERM; sleep 60 & echo $! > ${pidFile}; while :; do sleep 60; done`);
  const envoy = await launchTestEnvoy({
    cleanup: context.onTestFinished,
    launcher: processLauncher(stubborn),
    bootstrap: {},
  });
  const grandchild = await waitFor(() => Number(readFileSync(pidFile, "utf8")));
  expect(await envoy.stop({ graceMs: 50 })).toEqual({ code: null, signal: "SIGKILL" });
  await waitFor(() => !isRunning(grandchild));
  // Again is fine.
  expect(await envoy.stop()).toEqual({ code: null, signal: "SIGKILL" });
});

test("a binary that cannot be started is told", async (context) => {
  const { bin } = fakeCommands(context);
  const launch = processLauncher(join(bin, "nothing"));
  await expect(launch({ name: "a", bootstrap: {}, dir: join(bin, "dir") })).rejects.toThrow(
    /^Envoy a does not start: spawn .*nothing ENOENT$/,
  );
});

test("an Envoy does not outlive its parent, however that ends", async (context) => {
  const { path } = await envoyBinary(context);
  const { dir } = fakeCommands(context);
  const launch = pathToFileURL("src/app/envoy/launch.ts");
  const options = { name: "orphan", bootstrap: staticBootstrap(), dir: join(dir, "envoy") };
  const parent = spawn(process.execPath, [
    "--input-type=module",
    "--eval",
    `import { processLauncher } from "${launch}";
     const envoy = await processLauncher(${JSON.stringify(path)})(${JSON.stringify(options)});
     const admin = await envoy.ready();
     console.log(JSON.stringify({ pid: envoy.pid, address: admin.address }));
     setInterval(() => {}, 1000);`,
  ]);
  context.onTestFinished(() => {
    parent.kill("SIGKILL");
  });
  const [text] = await once(parent.stdout, "data");
  const { pid, address }: { pid: number; address: string } = JSON.parse(String(text));
  expect(isRunning(pid)).toBe(true);
  parent.kill("SIGKILL");
  await waitFor(async () => !isRunning(pid) && !(await isOpen(address)));
});

test("the user chooses how Envoys are run", async () => {
  const binary = { path: "/envoy", version: "1.40.0", from: "PATH" } as const;
  expect(await chooseLauncher({}, binary)).toBeTypeOf("function");
  await expect(chooseLauncher({ FAIRWAY_ENVOY: "vm" }, binary)).rejects.toMatchObject({
    code: "usage/invalid",
    message: 'FAIRWAY_ENVOY is "vm"',
    hint: "Set it to process or container, or unset it.",
  });
  await expect(chooseLauncher({ FAIRWAY_ENVOY: "container", PATH: "" }, binary)).rejects.toMatchObject({
    code: "envoy/not-found",
    message: "no container engine found: no docker is on the PATH; no podman is on the PATH",
  });
});
