import { describe, expect, test } from "vitest";
import { defaultCaptureOptions } from "../../src/agent/capture-options.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { startSidecar } from "../support/sidecar.ts";
import { waitFor } from "../support/wait-for.ts";
import {
  at,
  call,
  capture,
  direct,
  done,
  keepCalling,
  makeLab,
  modes,
  nets,
  networks,
  type Outcome,
  others,
  startApp,
  url,
} from "./lab.ts";
import { selfHost, sidecarConfig } from "./proxy-config.ts";

const { proxyUid: proxyUser } = defaultCaptureOptions;

describe("with a real Envoy", () => {
  const cases = envoyLines.flatMap((line) => modes.map((mode) => [mode, line] as const));

  test.for(cases)("%s, Envoy %s", { timeout: 120_000 }, async ([mode, line], context) => {
    const lab = await makeLab(context);
    const { workload, outside: world } = lab;
    await startApp(workload, "app", [8080, 8081, 15_021]);
    await startApp(world, "outside", [9000, 9001, 9050]);
    await startSidecar({
      cleanup: context.onTestFinished,
      in: workload,
      mode,
      binary: (await envoyBinary(context, line)).path,
      bootstrap: sidecarConfig(mode, networks),
    });
    expect(await capture(lab, `--mode ${mode}`)).toMatchObject(done);

    for (const { own, outside, service, loopback, source } of nets) {
      // Redirected, the application sees the proxy; else its client.
      const seen = (client: string) => (mode === "redirect" ? source : client);

      // Out: the application by the proxy, the proxy by itself.
      expect(await call(workload, {}, url(outside, 9000))).toEqual([
        { who: "outside", peer: own, via: [`outbound ${at(outside, 9000)}`] },
      ]);
      for (const caller of [{ uid: proxyUser }, { gid: proxyUser }]) {
        expect(await call(workload, caller, url(outside, 9000))).toEqual([direct("outside", own)]);
      }

      // In; not to the port of the proxy's health.
      expect(await call(world, {}, url(own, 8080), url(own, 15_021))).toEqual([
        { who: "app", peer: seen(outside), via: [`inbound ${at(own, 8080)}`] },
        direct("app", outside),
      ]);

      // To itself: by its service's address through the proxy, out and in again; by its own directly.
      expect(await call(workload, {}, url(service, 80, selfHost), url(own, 8080), url(loopback, 8080))).toEqual([
        { who: "app", peer: seen(own), via: [`outbound ${at(service, 80)}`, `inbound ${at(own, 8080)}`] },
        direct("app", own),
        direct("app", loopback),
      ]);
    }

    const exclusions = [
      `--mode ${mode} --exclude-inbound-ports 8081-8090,15021 --exclude-outbound-ports 9001`,
      `--exclude-outbound-ranges ${others} --exclude-uids 1001 --exclude-gids 1002`,
    ].join(" ");
    expect(await capture(lab, exclusions)).toMatchObject(done);
    for (const { own, outside, other } of nets) {
      expect((await call(world, {}, url(own, 8080), url(own, 8081))).map(({ via }) => via)).toEqual([
        [`inbound ${at(own, 8080)}`],
        [],
      ]);
      const calls = await call(workload, {}, url(outside, 9000), url(outside, 9001), url(other, 9000));
      expect(calls.map(({ via }) => via)).toEqual([[`outbound ${at(outside, 9000)}`], [], []]);
      for (const caller of [{ uid: 1001 }, { gid: 1002 }]) {
        expect(await call(workload, caller, url(outside, 9000))).toEqual([direct("outside", own)]);
      }
    }

    // A port whatever the address is, a range whatever the port is.
    const inclusions = [
      `--mode ${mode} --include-inbound-ports 8081 --include-outbound-ports 9050`,
      `--include-outbound-ranges ${others}`,
    ].join(" ");
    expect(await capture(lab, inclusions)).toMatchObject(done);
    for (const { own, outside, other } of nets) {
      expect((await call(world, {}, url(own, 8080), url(own, 8081))).map(({ via }) => via)).toEqual([
        [],
        [`inbound ${at(own, 8081)}`],
      ]);
      const calls = await call(workload, {}, url(outside, 9000), url(outside, 9050), url(other, 9000));
      expect(calls.map(({ via }) => via)).toEqual([
        [],
        [`outbound ${at(outside, 9050)}`],
        [`outbound ${at(other, 9000)}`],
      ]);
    }

    expect(await capture(lab, "--remove")).toMatchObject(done);
    for (const { own, outside } of nets) {
      expect(await call(workload, {}, url(outside, 9000))).toEqual([direct("outside", own)]);
      expect(await call(world, {}, url(own, 8081))).toEqual([direct("app", outside)]);
    }
  });
});

/** What is captured fails: the kernel refuses it, or with TPROXY lets it wait. */
describe.each(modes)("%s, without a proxy", (mode) => {
  const refused: Outcome = { failed: "ECONNREFUSED" };
  const refusedInbound: Outcome = mode === "redirect" ? refused : { failed: "ABORT_ERR" };

  test("connections that are there already go on", { timeout: 60_000 }, async (context) => {
    const lab = await makeLab(context);
    await startApp(lab.workload, "app", [8080]);
    await startApp(lab.outside, "outside", [9000]);
    const kept = await Promise.all(
      nets.flatMap(({ own, outside }) => [
        keepCalling(lab.outside, url(own, 8080)),
        keepCalling(lab.workload, url(outside, 9000)),
      ]),
    );
    expect(await capture(lab, `--mode ${mode}`)).toMatchObject(done);
    for (const { own, outside } of nets) {
      expect(await call(lab.outside, {}, url(own, 8080))).toEqual([refusedInbound]);
      expect(await call(lab.workload, {}, url(outside, 9000))).toEqual([refused]);
    }
    const soFar = kept.map(({ length }) => length);
    await waitFor(() => kept.every(({ length }, index) => length > (soFar[index] ?? 0) + 2), { what: "more answers" });
    const whole = (outcomes: readonly Outcome[]) =>
      outcomes.filter(({ failed, connections }) => failed !== undefined || connections !== 1);
    expect(kept.map(whole)).toEqual([[], [], [], []]);
  });

  test("what is only forwarded is left alone, and so is an excluded interface", {
    timeout: 60_000,
  }, async (context) => {
    const lab = await makeLab(context);
    await startApp(lab.workload, "app", [8080]);
    await startApp(lab.behind, "behind", [7000]);
    expect(await capture(lab, `--mode ${mode}`)).toMatchObject(done);
    for (const { outside, behind, second } of nets) {
      expect(await call(lab.outside, {}, url(behind, 7000))).toEqual([direct("behind", outside)]);
      expect(await call(lab.behind, {}, url(second, 8080))).toEqual([refusedInbound]);
      expect(await call(lab.workload, {}, url(behind, 7000))).toEqual([refused]);
    }
    expect(await capture(lab, `--mode ${mode} --exclude-interfaces eth1`)).toMatchObject(done);
    for (const { own, outside, behind, second } of nets) {
      expect(await call(lab.behind, {}, url(second, 8080))).toEqual([direct("app", behind)]);
      expect(await call(lab.workload, {}, url(behind, 7000))).toEqual([direct("behind", second)]);
      expect(await call(lab.outside, {}, url(own, 8080))).toEqual([refusedInbound]);
      expect(await call(lab.workload, {}, url(outside, 9000))).toEqual([refused]);
    }
  });
});
