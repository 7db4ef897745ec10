import { type Case, ensureNames } from "../case.ts";
import { resource } from "../resources.ts";
import { adsVariants, allVariants } from "../variants.ts";
import { has } from "./offers.ts";
import { withSecret } from "./order-resources.ts";

/** ORD-07. */
export const orderSecretCases: readonly Case[] = [
  {
    statement: "ORD-07",
    title: "a secret named by a cluster or listener is answered",
    variants: adsVariants,
    types: ["CDS", "LDS"],
    needs: ["state"],
    run: async ({ put, open, name, type }) => {
      const user = type === "CDS" ? "CDS" : "LDS";
      await put(withSecret(user, name("u"), name("s")), resource("SDS", name("s")));
      const stream = open();
      stream.ask(user);
      await stream.accept(user, has(name("u")));
      stream.ask("SDS", [name("s")]);
      await stream.accept("SDS", has(name("s")));
    },
  },
  {
    statement: "ORD-07",
    title: "its user removed and added: the secret is answered again, unchanged",
    variants: adsVariants,
    types: ["CDS", "LDS"],
    needs: ["state"],
    run: async ({ put, del, open, name, type, variant, quietMs }) => {
      const user = type === "CDS" ? "CDS" : "LDS";
      const [u, s] = [name("u"), name("s")] as const;
      await put(resource(user, name("other")), withSecret(user, u, s), resource("SDS", s));
      const stream = open();
      stream.ask(user);
      await stream.accept(user);
      stream.ask("SDS", [s]);
      const first = await stream.accept("SDS", has(s));
      await del({ type: user, name: u });
      await stream.accept(user, ({ removed, resources }) =>
        variant.wire === "delta" ? removed.includes(u) : !resources.some((one) => one.name === u),
      );
      const again = variant.wire === "sotw" ? { version: first.version, nonce: first.nonce } : {};
      stream.ask("SDS", [], again);
      await stream.quiet("SDS", quietMs);
      await put(withSecret(user, u, s));
      await stream.accept(user, has(u));
      stream.ask("SDS", [s], again);
      await stream.accept("SDS", has(s));
    },
  },
  {
    statement: "ORD-07",
    title: "a secret that is asked for before it is there comes when it is",
    variants: allVariants,
    types: ["SDS"],
    needs: ["state"],
    run: async ({ put, open, name }) => {
      const [s, later] = [name("s"), name("later")] as const;
      await put(resource("SDS", s));
      const stream = open();
      stream.ask("SDS", [s, later]);
      await stream.accept("SDS", has(s));
      await put(resource("SDS", later));
      const { resources } = await stream.accept("SDS", has(later));
      ensureNames(
        resources.map((one) => one.name),
        [later],
        "the second answer",
      );
    },
  },
];
