import { decode } from "../base/decode.ts";
import { MeshError } from "../base/errors.ts";
import { readFiles } from "../base/read-files.ts";
import { parseDocuments } from "../base/yaml-document.ts";
import { envoyNode } from "../model/envoy-node.ts";
import { type ProxyNode, parseProxyNode } from "../model/proxy.ts";

/**
 * Reads which proxy is meant: a file with an Envoy node (`id`, `metadata`, `locality`), or a whole Envoy bootstrap, whose
 * `node` is taken. Throws `usage/invalid` or `input/invalid`.
 */
export async function readNodeFile(file: string): Promise<ProxyNode> {
  const [read] = await readFiles({ paths: [file] });
  if (read?.kind !== "text") {
    const reason = read === undefined ? "It is a directory." : read.message;
    throw new MeshError("usage/invalid", `cannot read the node ${file}: ${reason}`, { hint: nodeHint });
  }
  return parseNode(read.text, file);
}

const nodeHint = "A proxy's file is YAML or JSON with an Envoy node, or with a whole Envoy bootstrap.";

export function parseNode(content: string, file: string): ProxyNode {
  const [document] = parseDocuments(content);
  if (document === undefined) throw new MeshError("input/invalid", `${file}: The file is empty.`, { hint: nodeHint });
  const [broken] = document.problems;
  if (broken !== undefined) throw invalid(file, broken, broken.message);
  const isBootstrap = hasNode(document.value);
  const decoded = isBootstrap ? decode(envoyNode, document.value.node, "/node") : decode(envoyNode, document.value);
  if (!decoded.ok) {
    const [{ pointer, message } = { pointer: "", message: "Expected an Envoy node." }] = decoded.problems;
    throw invalid(file, document.locate(pointer), message);
  }
  return parseProxyNode(decoded.value);
}

const hasNode = (value: unknown): value is { readonly node: unknown } =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "node");

function invalid(file: string, at: { readonly line: number; readonly column: number }, message: string): MeshError {
  return new MeshError("input/invalid", `${file}:${at.line}:${at.column}: ${message}`, { hint: nodeHint });
}
