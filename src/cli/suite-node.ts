import { dirname, isAbsolute, join } from "node:path";
import { MeshError } from "../base/errors.ts";
import type { ProxyNode } from "../model/proxy.ts";
import { readNodeFile } from "./node-file.ts";
import type { SuiteDocument } from "./route-test-files.ts";

/** The proxy that the tests are of, without a server that knows it by name. Throws `usage/invalid` or `input/invalid`. */
export async function suiteNode(document: SuiteDocument): Promise<ProxyNode> {
  const { proxy } = document.suite;
  if (proxy === undefined) throw noProxy(document, "Give it a `proxy`: a file with an Envoy node, or the node itself.");
  return proxy.kind === "node" ? proxy.node : readNodeFile(beside(document, proxy.name));
}

/** A file is named as seen from the one that names it. */
export const beside = ({ file }: SuiteDocument, name: string): string =>
  isAbsolute(name) ? name : join(dirname(file), name);

export function noProxy({ file, locate }: SuiteDocument, hint: string): MeshError {
  const { line, column } = locate("");
  const message = `${file}:${line}:${column}: it is not said which proxy gets the requests`;
  return new MeshError("usage/invalid", message, { hint });
}
