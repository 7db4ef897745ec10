import { below, type Decoder, fail, failed, isObject, list, mapped, refined, show, text } from "../base/decode.ts";
import { object, optional, required } from "../base/decode-object.ts";
import { MeshError } from "../base/errors.ts";
import { envoyNode } from "../model/envoy-node.ts";
import { type ProxyNode, parseProxyNode } from "../model/proxy.ts";
import { type Expectation, expectation } from "./expectation.ts";
import { type Question, question } from "./question.ts";

/** Tests of one proxy. */
export interface RouteSuite {
  /** Absent: what is asked has no more than one proxy. */
  readonly proxy?: SuiteProxy;
  /** At least one; no two have the same name. */
  readonly tests: readonly RouteTest[];
}

export type SuiteProxy =
  /** A file with its node, or a name that a server knows. */
  { readonly kind: "named"; readonly name: string } | { readonly kind: "node"; readonly node: ProxyNode };

export interface RouteTest {
  readonly name: string;
  readonly request: AskedRequest;
  readonly expect: Expectation;
}

/** A question, and the same as it is written. */
export interface AskedRequest {
  readonly question: Question;
  readonly written: Readonly<Record<string, unknown>>;
}

const askedRequest: Decoder<AskedRequest> = (value, site) => {
  const decoded = question(value, site);
  return decoded === failed ? failed : { question: decoded, written: { ...(value as object) } };
};

const proxyNode: Decoder<ProxyNode> = mapped(envoyNode, (identity, site) => {
  try {
    return parseProxyNode(identity);
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    return fail(site, "invalid-value", `The ${error.message}.`, error.hint);
  }
});

const proxyName = text();

const proxy: Decoder<SuiteProxy> = (value, site) => {
  if (isObject(value)) {
    const node = proxyNode(value, site);
    return node === failed ? failed : { kind: "node", node };
  }
  const name = proxyName(value, site);
  return name === failed ? failed : { kind: "named", name };
};

const test: Decoder<RouteTest> = object({
  name: required(text()),
  request: required(askedRequest),
  expect: required(expectation),
});

const tests = refined(list(test, { min: 1 }), (all, site) => {
  const names = new Set<string>();
  for (const [index, { name }] of all.entries()) {
    if (names.has(name)) {
      const at = below(below(site, index), "name");
      fail(at, "conflict", `Another test has the name ${show(name)} too.`, "Give each its own.");
    }
    names.add(name);
  }
});

/** Reads the tests of one document. */
export const routeSuite: Decoder<RouteSuite> = object({ proxy: optional(proxy), tests: required(tests) });
