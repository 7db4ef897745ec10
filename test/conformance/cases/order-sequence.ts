import { type Case, type CaseContext, ensure } from "../case.ts";
import { listenerWithRoutes, type RawResource, resource, routesTo } from "../resources.ts";
import { adsVariants } from "../variants.ts";
import {
  accepts,
  brings,
  ensureBefore,
  ensureChain,
  type FollowingProxy,
  followReferences,
  removes,
} from "./following.ts";
import { has } from "./offers.ts";
import { routeUser, scopeTo, service, withSecret } from "./order-resources.ts";

/** A proxy at rest on this state. */
async function settled(context: CaseContext, ...state: readonly RawResource[]): Promise<FollowingProxy> {
  await context.put(...state);
  const proxy = followReferences(context);
  await proxy.until(
    "the first state",
    () => state.every(({ type, name }) => proxy.held(type).has(name)) && proxy.isComplete(),
  );
  return proxy;
}

/** One change goes out in its order: ORD-01. */
const sequence: readonly Case[] = [
  {
    statement: "ORD-01",
    title: "one change of everything comes as clusters, endpoints, listeners, routes, and then removals",
    variants: adsVariants,
    types: ["CDS"],
    needs: ["state"],
    run: async (context) => {
      const { name, change } = context;
      const [c1, c2, l1, l2, r1, r2] = ["c1", "c2", "l1", "l2", "r1", "r2"].map(name) as [
        ...[string, string, string],
        ...[string, string, string],
      ];
      const proxy = await settled(context, ...service(c1), listenerWithRoutes(l1, r1), routesTo(r1, [c1]));
      const since = proxy.sights.length;
      await change(
        [...service(c2), listenerWithRoutes(l2, r2), routesTo(r2, [c2]), routesTo(r1, [c2], 2)],
        [
          { type: "CDS", name: c1 },
          { type: "EDS", name: c1 },
        ],
      );
      await proxy.until("the old cluster leaves", () => !proxy.held("CDS").has(c1) && proxy.held("RDS").has(r2));
      ensureChain(proxy, since, [
        ["the new cluster", brings("CDS", c2)],
        ["its endpoints", brings("EDS", c2)],
        ["the new listener", brings("LDS", l2)],
        ["its routes", brings("RDS", r2)],
      ]);
      ensureChain(proxy, since, [
        ["the new listener", brings("LDS", l2)],
        ["the changed routes", brings("RDS", r1)],
        ["the old cluster's removal", removes("CDS", c1)],
      ]);
    },
  },
  {
    statement: "ORD-01",
    title: "whatever the order in which names were asked for, one change comes in the order of the types",
    variants: adsVariants,
    types: ["CDS"],
    needs: ["state"],
    run: async ({ put, open, name, variant, until }) => {
      const [c, l, r] = [name("c"), name("l"), name("r")] as const;
      const host = `${r}/example.com`;
      await put(resource("CDS", name("c0")), resource("LDS", name("l0")));
      const stream = open({ autoAck: true });
      const delta = variant.wire === "delta";
      if (delta) stream.ask("VHDS", [host]);
      stream.ask("RDS", [r]);
      stream.ask("LDS", [l, name("l0")]);
      stream.ask("EDS", [c]);
      stream.ask("CDS", [c, name("c0")]);
      await stream.expect("LDS");
      await stream.expect("CDS");
      await stream.expect("EDS");
      const all = [
        ...service(c),
        listenerWithRoutes(l, r),
        routesTo(r, [c]),
        ...(delta ? [resource("VHDS", host)] : []),
      ];
      const before = stream.received.length;
      await put(...all);
      const indexOf = ({ type, name: wanted }: RawResource): number =>
        stream.received.findIndex(
          (response, index) =>
            index >= before &&
            response.type === type &&
            response.resources.some((one) => one.name === wanted && (one.body?.length ?? 0) > 0),
        );
      await until("everything", () => all.every((one) => indexOf(one) >= 0));
      const order = all.toSorted((a, b) => indexOf(a) - indexOf(b)).map(({ type }) => type);
      ensure(order.join() === all.map(({ type }) => type).join(), `they came as ${order.join(", ")}`);
    },
  },
  {
    statement: "ORD-01",
    title: "a new user's secret comes right after it, and waits for no ACK",
    variants: adsVariants,
    types: ["CDS", "LDS"],
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const user = type === "CDS" ? "CDS" : "LDS";
      await put(resource(user, name("u0")));
      const stream = open();
      stream.ask(user);
      await stream.accept(user);
      await put(withSecret(user, name("u1"), name("s")), resource("SDS", name("s")), resource("EDS", name("e")));
      const users = await stream.expect(user, has(name("u1")));
      stream.ask("SDS", [name("s")]);
      await stream.accept("SDS", has(name("s")));
      stream.ack(users);
    },
  },
];

/** Nothing leaves before what replaces it is at work. Besides what each case looks for, the proxy looks for dangling names after every message. */
const makeBeforeBreak: readonly Case[] = [
  {
    statement: "ORD-02",
    title: "a cluster leaves when what used it has been replaced and the replacement is acknowledged",
    variants: adsVariants,
    types: ["RDS", "LDS"],
    needs: ["state"],
    run: async (context) => {
      const { proxy, since, c1, c2, user } = await moved(context);
      await proxy.until("the old cluster leaves", () => !proxy.held("CDS").has(c1));
      ensureChain(proxy, since, [
        ["the new cluster", brings("CDS", c2)],
        ["its endpoints", brings("EDS", c2)],
        [`the new ${context.type}`, brings(context.type, user)],
        ["its ACK", accepts(context.type)],
        ["the old cluster's removal", removes("CDS", c1)],
      ]);
      const early = proxy.sights.find(removes("EDS", c1));
      ensure(early === undefined, `endpoints of a cluster that was in use were removed: ${early?.text}`);
    },
  },
  {
    statement: "ORD-02",
    title: "after the ACK there is a grace time",
    variants: adsVariants,
    types: ["RDS", "LDS"],
    needs: ["state", "short-times"],
    run: async (context) => {
      const { proxy, since, c1 } = await moved(context);
      await proxy.until("the old cluster leaves", () => !proxy.held("CDS").has(c1));
      const seen = proxy.sights.slice(since);
      const [acked, gone] = [seen.find(accepts(context.type)), seen.find(removes("CDS", c1))];
      const graceMs = (gone?.atMs ?? 0) - (acked?.atMs ?? 0);
      ensure(graceMs >= 50, `it was gone ${graceMs.toFixed()} ms after the ACK, and Envoy may not have applied it yet`);
    },
  },
  {
    statement: "ORD-02",
    title: "while the ACK is withheld the cluster stays, and leaves when the wait is over",
    variants: adsVariants,
    types: ["RDS", "LDS"],
    needs: ["state", "short-times"],
    run: async (context) => {
      const { proxy, since, c1, user } = await moved(context, (one) => one.withhold(context.type));
      await proxy.until("the new user", () => proxy.sights.slice(since).some(brings(context.type, user)));
      await proxy.stays("the old cluster is there", () => proxy.held("CDS").has(c1), context.quietMs);
      await proxy.until("the old cluster leaves", () => !proxy.held("CDS").has(c1));
      proxy.giveWay(context.type);
    },
  },
  {
    statement: "ORD-02",
    title: "while the new user is refused the cluster stays: the old user is at work",
    variants: adsVariants,
    types: ["RDS", "LDS"],
    needs: ["state", "short-times"],
    run: async (context) => {
      const { type, put, quietMs } = context;
      let refused = 0;
      const { proxy, c1, c2, user } = await moved(context, (one) =>
        one.refuse((response) => {
          if (response.type !== type || !has(user)(response)) return undefined;
          refused++;
          return "refused by the suite";
        }),
      );
      await proxy.until("the refusal", () => refused > 0);
      await proxy.stays("the old cluster is there", () => proxy.held("CDS").has(c1), 6 * quietMs);
      proxy.refuse(() => undefined);
      await put(...(routeUser[type]?.(user, c2, 3) ?? []));
      await proxy.until("the old cluster leaves", () => !proxy.held("CDS").has(c1));
    },
  },
  {
    statement: "ORD-02",
    title: "what comes back before it left never leaves",
    variants: adsVariants,
    types: ["RDS", "LDS"],
    needs: ["state"],
    run: async (context) => {
      const { put, type, quietMs } = context;
      const { proxy, since, c1, user } = await moved(context, (one) => one.withhold(type));
      await proxy.until("the new user", () => proxy.sights.slice(since).some(brings(type, user)));
      await put(...service(c1));
      proxy.giveWay(type);
      await proxy.stays("the cluster is there", () => !proxy.sights.some(removes("CDS", c1)), 2 * quietMs);
    },
  },
  {
    statement: "ORD-02",
    title: "a route table leaves after what named it: listener or scope",
    variants: ["ads-delta"],
    types: ["LDS", "SRDS"],
    needs: ["state"],
    run: async ({ put, change, open, name, type, quietMs }) => {
      const user = type === "LDS" ? listenerWithRoutes : scopeTo;
      const [u, r1, r2] = [name("u"), name("r1"), name("r2")] as const;
      await put(user(u, r1), resource("RDS", r1));
      const stream = open();
      stream.ask(type);
      await stream.accept(type);
      stream.ask("RDS", [r1]);
      await stream.accept("RDS");
      await change([user(u, r2, 2), resource("RDS", r2)], [{ type: "RDS", name: r1 }]);
      const replaced = await stream.expect(type, has(u));
      await stream.quiet("RDS", quietMs);
      stream.ack(replaced);
      await stream.accept("RDS", ({ removed }) => removed.includes(r1));
    },
  },
  {
    statement: "ORD-02",
    title: "20 flips, one upon the other: at no time does a route name a cluster that is not there",
    variants: adsVariants,
    types: ["RDS", "LDS"],
    needs: ["state"],
    run: async (context) => {
      const { name, type, change } = context;
      const user = name("user");
      const cluster = (round: number): string => name(`c${round}`);
      const proxy = await settled(context, ...service(cluster(0)), ...userOf(context, user, cluster(0), 1));
      for (let round = 1; round <= 20; round++) {
        const [from, to] = [cluster(round - 1), cluster(round)];
        await change(
          [...service(to), ...userOf(context, user, to, round + 1)],
          [
            { type: "CDS", name: from },
            { type: "EDS", name: from },
          ],
        );
        // Each third one is let through before the next; the others come while it is under way.
        if (round % 3 === 0) await proxy.until("the new cluster", () => proxy.held("CDS").has(to));
        if (round % 7 === 0) {
          const arrived = (): boolean => proxy.sights.some(brings(type, user)) && proxy.isComplete();
          await proxy.until("the user's new state", arrived);
        }
      }
      const last = cluster(20);
      await proxy.until("only the last cluster", () => [...proxy.held("CDS").keys()].join() === last);
      ensureBefore(proxy, 0, ["the last cluster", brings("CDS", last)], ["its endpoints", brings("EDS", last)]);
    },
  },
];

const userOf = ({ type }: CaseContext, name: string, cluster: string, revision: number): readonly RawResource[] =>
  routeUser[type]?.(name, cluster, revision) ?? [];

/** A proxy at rest, and then one change: the cell's type is what moves from c1 to the new c2, and c1 is deleted. */
async function moved(context: CaseContext, prepare: (proxy: FollowingProxy) => void = () => {}) {
  const { name, change } = context;
  const [c1, c2, user] = [name("c1"), name("c2"), name("user")] as const;
  const proxy = await settled(context, ...service(c1), ...userOf(context, user, c1, 1));
  prepare(proxy);
  const since = proxy.sights.length;
  await change(
    [...service(c2), ...userOf(context, user, c2, 2)],
    [
      { type: "CDS", name: c1 },
      { type: "EDS", name: c1 },
    ],
  );
  return { proxy, since, c1, c2, user };
}

export const orderSequenceCases: readonly Case[] = [...sequence, ...makeBeforeBreak];
