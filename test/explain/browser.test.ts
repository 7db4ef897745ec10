import { readFileSync } from "node:fs";
import type { JsonObject } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { Explanation } from "../../src/explain/explanation.ts";
import { serveModule } from "../support/browser-modules.ts";
import { openInBrowser } from "../support/chromium.ts";
import { type Input, run } from "./browser-page.ts";
import { clusterOf, endpoint, httpManager, listenerOf, tableOf } from "./configuration.ts";

const edge = JSON.parse(readFileSync("test/cli/fixtures/config-dump.json", "utf8"));

/** Regular expressions, which a library carries out; texts that are bytes; paths that are put in order. */
const odd: JsonObject = listenerOf(
  httpManager(
    tableOf([
      { name: "regex", match: { safe_regex: { regex: "/item/\\p{Greek}+|/ä[a-z]{2}" } }, route: { cluster: "a" } },
      {
        name: "pattern",
        match: { prefix: "/p/" },
        route: {
          cluster: "a",
          regex_rewrite: { pattern: { regex: "^/p/([^/]+)/(.*)$" }, substitution: "/\\2/\\1" },
        },
      },
      {
        name: "header",
        match: { prefix: "/", headers: [{ name: "x-ü", range_match: { start: 1, end: 9 } }] },
        redirect: { path_redirect: "/ö" },
      },
    ]),
  ),
);

const input: Input = {
  dump: {
    configs: [
      ...edge.configs,
      { static_listeners: [{ listener: odd }] },
      { static_clusters: [{ cluster: clusterOf("a", endpoint("10.0.0.1")) }] },
    ],
  },
  questions: [
    ...["api/x", "old/x?y", "tea", "lost", "nothing"].map((path) => ({
      ...{ url: `https://shop.example/${path}`, destination: "10.0.0.1:8443" },
    })),
    { url: "tls://db.example:8443" },
    { url: "tls://queue.example:8443" },
    { url: "https://other.example:8443/" },
    ...["item/αβγ", "item/abc", "äbc", "p/a/b/c", "%7Eme/./x"].map((path) => ({
      url: `http://a/${path}`,
      listener: "all",
    })),
    { url: "http://10.0.0.1:1/" },
    { url: "ftp://nothing" },
  ],
};

/** What becomes of a question, in a word or two. */
const endsOf = (all: readonly unknown[]): ReadonlySet<string> =>
  new Set(
    (all as readonly Partial<Explanation>[]).flatMap(({ outcomes = [] }) => outcomes.map(({ result }) => result.kind)),
  );

test("a browser tells what Node tells", { timeout: 60_000 }, async (context) => {
  const { url, result, served } = await serveModule(context, "/test/explain/browser-page.ts", input);
  const browser = await openInBrowser(context, url);
  const told = await Promise.race([result, browser.ended]);
  const here = JSON.parse(JSON.stringify(run(input)));
  expect(told).toEqual(here);
  expect(endsOf(here)).toEqual(new Set(["forward", "redirect", "answer", "tunnel", "unknown", "close"]));
  expect(served).toContain("/src/explain/explain.ts");
});

test("what a browser cannot load is said", { timeout: 60_000 }, async (context) => {
  const { url, result } = await serveModule(context, "/src/base/digest.ts", {});
  const failed = expect(result).rejects.toThrow(/node:crypto|Failed to (resolve|fetch)/);
  const { ended } = await openInBrowser(context, url);
  await Promise.race([failed, ended]);
});
