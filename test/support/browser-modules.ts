import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import type { TestContext } from "vitest";

const root = join(import.meta.dirname, "../..");

/** What our modules import by name; a browser needs to be told where it is. */
const packages: Readonly<Record<string, string>> = {
  "@bufbuild/protobuf": "/node_modules/@bufbuild/protobuf/dist/esm/index.js",
  "@bufbuild/protobuf/codegenv2": "/node_modules/@bufbuild/protobuf/dist/esm/codegenv2/index.js",
  "@bufbuild/protobuf/wkt": "/node_modules/@bufbuild/protobuf/dist/esm/wkt/index.js",
  re2js: "/node_modules/re2js/build/index.js",
};

/** The page loads a module, which finds `input` with `fetch("/input")`; what its `run` gives, or why it failed, comes back. */
const pageOf = (module: string): string => `<!doctype html>
<script type="importmap">${JSON.stringify({ imports: packages })}</script>
<script type="module">
  const tell = (path, body) => fetch(path, { method: "POST", body });
  try {
    const { run } = await import(${JSON.stringify(module)});
    const input = await (await fetch("/input")).json();
    await tell("/result", JSON.stringify(run(input)));
  } catch (error) {
    await tell("/failure", String(error?.stack ?? error));
  }
</script>`;

export interface ModuleServer {
  readonly url: string;
  /** What `run` gave. Rejects with what went wrong in the page. */
  readonly result: Promise<unknown>;
  /** Modules that were asked for, by their path. */
  readonly served: ReadonlySet<string>;
}

/**
 * Serves a page on loopback that calls the function `run` of one of our modules with `input`. Modules go out as they are, each alone and
 * without its types: what of them a browser cannot load fails there.
 */
export async function serveModule(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  module: `/${string}.ts`,
  input: unknown,
): Promise<ModuleServer> {
  const { promise: result, resolve, reject } = Promise.withResolvers<unknown>();
  const served = new Set<string>();
  const server = createServer(async (request, response) => {
    const path = normalize(request.url ?? "/");
    if (request.method === "POST") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const said = Buffer.concat(chunks).toString();
      response.end();
      if (path === "/result") resolve(JSON.parse(said));
      else reject(new Error(said));
      return;
    }
    if (path === "/") return void response.setHeader("content-type", "text/html").end(pageOf(module));
    if (path === "/input") return void response.end(JSON.stringify(input));
    const text = /^\/(src|test|node_modules)\/.*\.[jt]s$/.test(path) ? textOf(path) : undefined;
    if (text === undefined) return void response.writeHead(404).end();
    served.add(path);
    response.setHeader("content-type", "text/javascript").end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => void server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, result, served };
}

function textOf(path: string): string | undefined {
  try {
    const text = readFileSync(join(root, path), "utf8");
    return path.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
  } catch {
    return undefined;
  }
}
