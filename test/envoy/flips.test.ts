import { setTimeout as delay } from "node:timers/promises";
import { expect, type TestContext, test } from "vitest";
import { breakBeforeMake } from "../support/break-before-make.ts";
import { heldResources, versionsOf } from "../support/config-dump.ts";
import { type Answer, steadyTraffic } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";
import { planWireMesh, startWireEnvoys, type WireEnvoy, wireHost } from "../support/wire-mesh.ts";
import { startWirePlane, type WireEvent, type WirePlane, type WirePlaneOptions } from "../support/wire-plane.ts";

/*
 * Make before break, as a client of the mesh sees it. One flip is two changes: the first adds a subset and routes everything to it,
 * the second routes away from it and removes it. All the while requests go through four real Envoys.
 */

/** `npm run full` says 500. */
const flips = Number(process.env["FAIRWAY_FLIPS"] ?? 100);
const brokenFlips = 10;
/** The clusters of so many flips leave together: a removal takes its grace time. */
const settleEvery = 20;

const wishes = (["sidecar", "gateway"] as const).flatMap((kind) =>
  (["delta", "sotw"] as const).map((variant) => ({ kind, variant })),
);

/** What there is before and after each flip. */
const base = { base: "v1" } as const;

interface Lab {
  readonly plane: WirePlane;
  readonly envoys: readonly WireEnvoy[];
  readonly refusals: readonly WireEvent[];
  /** Adds this subset and routes to it. */
  readonly add: (subset: string) => void;
  /** Routes away from it and removes it. */
  readonly remove: () => void;
  readonly everyoneHas: (what: "reached" | "settled") => Promise<unknown>;
  /** Ends the load: all answers, by proxy. */
  readonly stopLoad: () => Promise<Readonly<Record<string, readonly Answer[]>>>;
}

async function startLab(context: TestContext, options: WirePlaneOptions = {}): Promise<Lab> {
  const mesh = await planWireMesh(context, wishes);
  const plane = await startWirePlane(context, mesh, mesh.rules(base, "base"), options);
  const refusals: WireEvent[] = [];
  plane.subscribe((event) => {
    if (event.on === "refused") refusals.push(event);
  });
  const envoys = await startWireEnvoys(context, mesh, plane.port);
  const ids = mesh.proxies.map(({ node }) => node.id);
  const everyoneHas = (what: "reached" | "settled") =>
    waitFor(() => ids.every((id) => plane.isAt(id, what)), { withinMs: 15_000, what: `everybody to have ${what}` });
  await everyoneHas("settled");
  const loads = mesh.proxies.map(({ name, url }) => ({
    name,
    load: steadyTraffic(url, { host: wireHost, pauseMs: 5, maxMs: 15 * 60_000 }),
  }));
  const stopLoad = async (): ReturnType<Lab["stopLoad"]> =>
    Object.fromEntries(await Promise.all(loads.map(async ({ name, load }) => [name, await load.stop()] as const)));
  context.onTestFinished(async () => {
    await stopLoad();
  });
  await waitFor(() => loads.every(({ load }) => load.answers.length > 20), { what: "traffic" });
  return {
    plane,
    envoys,
    refusals,
    add: (subset) => plane.setRules(mesh.rules({ ...base, [subset]: "v2" }, subset)),
    remove: () => plane.setRules(mesh.rules(base, "base")),
    everyoneHas,
    stopLoad,
  };
}

const isFailure = ({ status }: Answer): boolean => status < 200 || status > 299;

/** For who reads the log: requests and failures, by proxy. */
const figures = (answers: Awaited<ReturnType<Lab["stopLoad"]>>): string =>
  Object.entries(answers)
    .map(([name, given]) => `${name}: ${given.length} requests, ${given.filter(isFailure).length} failed`)
    .join("\n");

/** Envoys would hide some failures by asking again, and count what they reset. */
const hidden =
  "(upstream_rq_retry|upstream_rq_tx_reset|upstream_rq_rx_reset|downstream_rq_tx_reset|update_rejected|warming_clusters)$";

async function expectUnharmed(lab: Lab): Promise<void> {
  const answers = await lab.stopLoad();
  console.log(figures(answers));
  for (const [name, given] of Object.entries(answers)) {
    expect(given.filter(isFailure), `failures through ${name}`).toEqual([]);
    expect(new Set(given.map(({ text }) => text)), `who answered through ${name}`).toEqual(new Set(["v1", "v2"]));
  }
  expect(lab.refusals).toEqual([]);
  for (const { name, proxy, admin } of lab.envoys) {
    const port = await admin();
    const counted = [...(await port.stats(hidden))].filter(([, value]) => value !== 0);
    expect(counted, `retries, resets, refusals and warming clusters of ${name}`).toEqual([]);
    if (proxy.variant === "delta") {
      expect(await heldResources(port), name).toEqual(versionsOf(lab.plane.targetOf(proxy.node.id)));
    } else {
      // Its dump knows the version of the response only.
      const { CDS, warming } = await heldResources(port);
      expect(Object.keys(CDS), name).toEqual([...lab.plane.targetOf(proxy.node.id).resources.CDS.keys()].sort());
      expect(warming, name).toEqual([]);
    }
  }
}

test(`${flips} flips under load, each as soon as the last one has arrived`, {
  timeout: 20_000 + flips * 1_000,
}, async (context) => {
  const lab = await startLab(context);
  for (let flip = 1; flip <= flips; flip++) {
    lab.add(`v${flip}`);
    await lab.everyoneHas("reached");
    lab.remove();
    await lab.everyoneHas(flip % settleEvery === 0 ? "settled" : "reached");
  }
  await lab.everyoneHas("settled");
  await expectUnharmed(lab);
});

test(`${flips} flips under load, faster than proxies settle`, { timeout: 20_000 + flips * 1_000 }, async (context) => {
  const lab = await startLab(context);
  for (let flip = 1; flip <= flips; flip++) {
    // Three names take turns: each comes back while its removal is still under way. The pace drifts against all timers.
    lab.add(`v${flip % 3}`);
    await delay(7 + ((flip * 13) % 60));
    lab.remove();
    await delay(7 + ((flip * 29) % 60));
  }
  // For who would have slept through all of it.
  lab.add("last");
  await lab.everyoneHas("reached");
  lab.remove();
  await lab.everyoneHas("settled");
  await expectUnharmed(lab);
});

test("the control run: without the order, the same flips break requests", { timeout: 60_000 }, async (context) => {
  const lab = await startLab(context, {
    xds: { removalGraceMs: 0 },
    between: (feed) => breakBeforeMake(feed, 40),
  });
  for (let flip = 1; flip <= brokenFlips; flip++) {
    lab.add(`v${flip}`);
    await lab.everyoneHas("reached");
    lab.remove();
    await lab.everyoneHas("settled");
  }
  const answers = await lab.stopLoad();
  console.log(figures(answers));
  for (const [name, given] of Object.entries(answers)) {
    expect(given.filter(isFailure).length, `failures through ${name}`).toBeGreaterThan(brokenFlips);
  }
});
