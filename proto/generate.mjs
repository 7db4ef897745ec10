// Generates src/gen from the Envoy API's .proto files (npm package @grpc/grpc-js-xds) and links the `fairway` command for
// `npx` in a clone. Runs after every `npm ci` / `npm install`; does nothing when src/gen is already up to date.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const api = "node_modules/@grpc/grpc-js-xds/deps";

/** Folders and files of the API that we speak; what they import comes along. */
const wanted = [
  "envoy-api/envoy/service/discovery/v3",
  "envoy-api/envoy/service/load_stats/v3",
  "envoy-api/envoy/service/status/v3",
  "envoy-api/envoy/config/cluster/v3",
  "envoy-api/envoy/config/endpoint/v3",
  "envoy-api/envoy/config/listener/v3",
  "envoy-api/envoy/config/route/v3",
  "envoy-api/envoy/extensions/clusters/aggregate/v3",
  "envoy-api/envoy/extensions/filters/http/cors/v3",
  "envoy-api/envoy/extensions/filters/http/fault/v3",
  "envoy-api/envoy/extensions/filters/http/router/v3",
  "envoy-api/envoy/extensions/filters/listener/http_inspector/v3",
  "envoy-api/envoy/extensions/filters/listener/original_dst/v3",
  "envoy-api/envoy/extensions/filters/listener/original_src/v3",
  "envoy-api/envoy/extensions/filters/listener/tls_inspector/v3",
  "envoy-api/envoy/extensions/filters/network/http_connection_manager/v3",
  "envoy-api/envoy/extensions/filters/network/tcp_proxy/v3",
  "envoy-api/envoy/extensions/path/match/uri_template/v3",
  "envoy-api/envoy/extensions/path/rewrite/uri_template/v3",
  "envoy-api/envoy/extensions/retry/host/previous_hosts/v3",
  "envoy-api/envoy/extensions/transport_sockets/tls/v3",
  "envoy-api/envoy/extensions/upstreams/http/v3",
  "googleapis/google/rpc/status.proto",
  "xds/xds/type/v3/typed_struct.proto",
];

const generated = join(root, "src/gen");
const stampFile = join(generated, ".stamp");
/** Our own declarations, and what else decides the result. */
const own = globSync("proto/**/*.proto", { cwd: root }).sort();
const inputs = ["proto/generate.mjs", "proto/buf.yaml", "proto/buf.gen.yaml", ...own];

function stamp() {
  const hash = createHash("sha256");
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  hash.update(JSON.stringify([dependencies, devDependencies]));
  for (const file of inputs) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

function generate() {
  rmSync(generated, { recursive: true, force: true });
  const paths = [...wanted.map((path) => `${api}/${path}`), ...own].flatMap((path) => ["--path", path]);
  const bin = join(root, "node_modules/.bin");
  execFileSync(
    join(bin, "buf"),
    ["generate", "--config", "proto/buf.yaml", "--template", "proto/buf.gen.yaml", ...paths],
    { cwd: root, stdio: "inherit", env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } },
  );
  mkdirSync(generated, { recursive: true });
  writeFileSync(stampFile, stamp());
}

/** `npx fairway` in a clone runs the TypeScript source as it stands, so that it can never be a stale build. */
function linkCommand() {
  const link = join(root, "node_modules/.bin/fairway");
  const main = join(root, "src/app/main.ts");
  if (!existsSync(main)) return;
  chmodSync(main, 0o755);
  rmSync(link, { force: true });
  symlinkSync("../../src/app/main.ts", link);
}

if (existsSync(join(root, api))) {
  const fresh = existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp();
  if (!fresh || process.argv.includes("--force")) generate();
  linkCommand();
}
