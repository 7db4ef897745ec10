import { type Case, type CaseContext, ensure } from "../case.ts";
import { edsCluster, listenerWithExtension, listenerWithRoutes, resource, routesTo } from "../resources.ts";
import { adsVariants, allTypes } from "../variants.ts";
import { brings, ensureBefore, followReferences, removes } from "./following.ts";
import { has } from "./offers.ts";
import { listenerTo, service } from "./order-resources.ts";

/** A route table behind a listener to one sound service, and a proxy at rest on it. */
async function atWork(context: CaseContext) {
  const { name, put } = context;
  const [c1, l, r] = [name("c1"), name("l"), name("r")] as const;
  await put(...service(c1), listenerWithRoutes(l, r), routesTo(r, [c1]));
  const proxy = followReferences(context);
  await proxy.until("the first state", () => proxy.held("RDS").has(r) && proxy.held("EDS").has(c1));
  return { proxy, c1, l, r };
}

const dangling: readonly Case[] = [
  {
    statement: "ORD-03",
    title: "a cluster that is named and not there has something in its place, before it is named",
    variants: adsVariants,
    types: ["RDS", "LDS"],
    needs: ["state"],
    run: async (context) => {
      const { name, put, type } = context;
      const { proxy, c1, r } = await atWork(context);
      const [lost, user] = [name("lost"), type === "RDS" ? r : name("user")] as const;
      const since = proxy.sights.length;
      await put(type === "RDS" ? routesTo(r, [c1, lost], 2) : listenerTo(user, [c1, lost]));
      await proxy.until("the user", () => proxy.sights.slice(since).some(brings(type, user)));
      ensureBefore(proxy, since, ["what stands for it", brings("CDS", lost)], ["the user", brings(type, user)]);
      // The rest goes on, within the normal time.
      await put(resource("EDS", c1, 2));
      await proxy.until("another cluster's endpoints", () => proxy.sights.slice(since).some(brings("EDS", c1)));
      const before = proxy.sights.length;
      await put(...service(lost));
      await proxy.until("the true one", () => proxy.sights.slice(before).some(brings("CDS", lost)));
      await proxy.until("and its endpoints", () => proxy.sights.some(brings("EDS", lost)) && proxy.isComplete());
    },
  },
  {
    statement: "ORD-03",
    title: "in the same change in which something dangles, everything else goes out",
    variants: adsVariants,
    types: ["RDS"],
    needs: ["state"],
    run: async (context) => {
      const { name, put } = context;
      const { proxy, c1, r } = await atWork(context);
      const [c2, r2, l2] = [name("c2"), name("r2"), name("l2")] as const;
      await put(
        ...service(c2),
        ...[resource("EDS", c1, 2), routesTo(r, [c1, name("lost")], 2), listenerWithRoutes(l2, r2), routesTo(r2, [c2])],
      );
      const all = [brings("CDS", c2), brings("EDS", c1), brings("EDS", c2), brings("LDS", l2), brings("RDS", r2)];
      await proxy.until("all the rest", () => all.every((one) => proxy.sights.some(one)));
      await proxy.until("and nothing is missing", proxy.isComplete);
    },
  },
  {
    statement: "ORD-03",
    title: "a cluster deleted under a route never leaves without something in its place",
    variants: adsVariants,
    types: ["RDS"],
    needs: ["state"],
    run: async (context) => {
      const { del, put, quietMs } = context;
      const { proxy, c1, r } = await atWork(context);
      const since = proxy.sights.length;
      await del({ type: "CDS", name: c1 }, { type: "EDS", name: c1 });
      await proxy.stays("the cluster is there", () => !proxy.sights.some(removes("CDS", c1)), 2 * quietMs);
      await put(...service(c1, 2), routesTo(r, [c1], 2));
      await proxy.until("it is back", () => proxy.sights.slice(since).some(brings("RDS", r)) && proxy.isComplete());
      ensure(!proxy.sights.some(removes("CDS", c1)), "it left in between");
    },
  },
  {
    statement: "ORD-03",
    title: "a route table that a listener names and that is not there is answered",
    variants: adsVariants,
    types: ["RDS"],
    needs: ["state"],
    run: async (context) => {
      const { name, put } = context;
      const { proxy, c1 } = await atWork(context);
      const lost = name("lost");
      await put(listenerWithRoutes(name("l2"), lost), resource("EDS", c1, 2));
      await proxy.until("an answer for the table", () => proxy.held("RDS").has(lost));
      await put(routesTo(lost, [c1]));
      await proxy.until("the true one", () => (proxy.held("RDS").get(lost)?.length ?? 0) > lost.length + 8);
    },
  },
  {
    statement: "ORD-03",
    title: "a cluster whose endpoints are not there, and a route to it, come whole",
    variants: adsVariants,
    types: ["EDS"],
    needs: ["state"],
    run: async (context) => {
      const { name, put } = context;
      const { proxy, r } = await atWork(context);
      const since = proxy.sights.length;
      const c2 = name("c2");
      await put(edsCluster(c2), routesTo(r, [c2], 2));
      await proxy.until("the routes", () => proxy.sights.slice(since).some(brings("RDS", r)) && proxy.isComplete());
      ensureBefore(proxy, since, ["an answer for the endpoints", brings("EDS", c2)], ["the routes", brings("RDS", r)]);
    },
  },
  {
    statement: "ORD-03",
    title: "a new listener whose filter is nowhere is kept back, and keeps nothing else back",
    variants: adsVariants,
    types: ["ECDS"],
    needs: ["state"],
    except: { "final-state": "what cannot work is not sent" },
    run: async (context) => {
      const { name, put, quietMs } = context;
      const { proxy, c1 } = await atWork(context);
      const [bad, good] = [name("bad"), name("good")] as const;
      await put(listenerWithExtension(bad, name("lost")), listenerTo(good, [c1]), resource("EDS", c1, 2));
      await proxy.until("the good one", () => proxy.held("LDS").has(good) && proxy.sights.some(brings("EDS", c1)));
      await proxy.stays("the bad one is not there", () => !proxy.held("LDS").has(bad), quietMs);
      await put(resource("ECDS", name("lost")));
      await proxy.until("now it is", () => proxy.held("LDS").has(bad) && proxy.isComplete());
    },
  },
];

const refused: readonly Case[] = [
  {
    statement: "ORD-08",
    title: "a refused cluster: other endpoints come at once, and a route to it within the limit",
    variants: adsVariants,
    types: ["CDS"],
    needs: ["state", "short-times"],
    except: {
      "final-state": "the client has refused the newest state",
      references: "the client has refused what the route names",
    },
    run: async ({ put, open, name }) => {
      const [c1, c9, l, r] = [name("c1"), name("c9"), name("l"), name("r")] as const;
      await put(...service(c1), listenerWithRoutes(l, r), routesTo(r, [c1]));
      const stream = open();
      for (const [type, names] of [
        ["CDS", []],
        ["EDS", [c1]],
        ["LDS", []],
        ["RDS", [r]],
      ] as const) {
        stream.ask(type, names);
        await stream.accept(type);
      }
      await put(...service(c9));
      stream.nack(await stream.expect("CDS", has(c9)), `${c9} is refused by the suite`);
      await put(routesTo(r, [c9], 2), resource("EDS", c1, 2));
      const endpoints = await stream.accept("EDS", has(c1));
      const routes = await stream.accept("RDS", has(r));
      ensure(endpoints.index < routes.index, "the endpoints waited for the routes");
    },
  },
  {
    statement: "ORD-08",
    title: "a refused type keeps no other type back",
    variants: adsVariants,
    types: allTypes,
    needs: ["state"],
    except: {
      "final-state": "the client has refused the newest state",
      superfluous: "endpoints of a refused cluster may be sent again with it",
    },
    run: async ({ put, open, name, type, variant, quietMs }) => {
      const served = allTypes.filter((one) => one !== "VHDS" || variant.wire === "delta");
      const nameOf = (one: string): string => (one === "VHDS" ? `t/${name("host")}` : name(one.toLowerCase()));
      await put(...served.map((one) => resource(one, nameOf(one))));
      const stream = open();
      for (const one of served) {
        stream.ask(one, [nameOf(one)]);
        await stream.accept(one, has(nameOf(one)));
      }
      await stream.quiet(undefined, quietMs);
      await put(resource(type, nameOf(type), 2));
      stream.nack(await stream.expect(type, has(nameOf(type))), "refused by the suite");
      const others = served.filter((one) => one !== type);
      await put(...others.map((one) => resource(one, nameOf(one), 3)));
      for (const one of others) await stream.accept(one, has(nameOf(one)));
      await put(...others.map((one) => resource(one, nameOf(one), 4)));
      for (const one of others) await stream.accept(one, has(nameOf(one)));
      await put(resource(type, nameOf(type), 5));
      await stream.accept(type, has(nameOf(type)));
    },
  },
  {
    statement: "ORD-08",
    title: "while a route is refused, new clusters and endpoints come",
    variants: adsVariants,
    types: ["RDS"],
    needs: ["state"],
    except: { "final-state": "the client has refused the newest state" },
    run: async (context) => {
      const { name, put } = context;
      const { proxy, c1, r } = await atWork(context);
      let refusals = 0;
      proxy.refuse((response) => {
        if (response.type !== "RDS" || !has(r)(response)) return undefined;
        refusals++;
        return "refused by the suite";
      });
      await put(routesTo(r, [c1], 2));
      await proxy.until("the refusal", () => refusals > 0);
      const since = proxy.sights.length;
      const [c2, l2, r2] = [name("c2"), name("l2"), name("r2")] as const;
      await put(...service(c2), resource("EDS", c1, 2), listenerWithRoutes(l2, r2), routesTo(r2, [c2]));
      const all = [brings("CDS", c2), brings("EDS", c1), brings("EDS", c2), brings("LDS", l2), brings("RDS", r2)];
      await proxy.until("all of them", () => all.every((one) => proxy.sights.slice(since).some(one)));
    },
  },
];

export const orderReferenceCases: readonly Case[] = [...dangling, ...refused];
