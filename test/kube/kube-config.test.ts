import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, type TestContext, test, vi } from "vitest";
import { createKubeConfigAccess, type KubeConfigSource, serverIn } from "../../src/kube/kube-config.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { silentLog } from "./support.ts";

function folder(context: Pick<TestContext, "onTestFinished">, files: Readonly<Record<string, string>> = {}) {
  const dir = mkdtempSync(join(tmpdir(), "fairway-kubeconfig-"));
  context.onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { dir, write, file: join(dir, "config") };
}

function access(source: KubeConfigSource) {
  const clock = createFakeClock();
  return { clock, ...createKubeConfigAccess({ source, clock, log: silentLog }) };
}

/** A kubeconfig with the users `admin` and `other`. */
const kubeconfig = (user: object, cluster: object = {}) =>
  JSON.stringify({
    "current-context": "here",
    clusters: [{ name: "c", cluster: { server: "https://10.0.0.1:6443/", ...cluster } }],
    users: [
      { name: "admin", user },
      { name: "other", user: { token: "other-token" } },
    ],
    contexts: [
      { name: "here", context: { cluster: "c", user: "admin" } },
      { name: "there", context: { cluster: "c", user: "other" } },
    ],
  });
const base64 = (text: string) => Buffer.from(text).toString("base64");

test("a token, and a certificate authority from a file beside", async (context) => {
  const { file } = folder(context, {
    config: kubeconfig({ token: "t" }, { "certificate-authority": "ca.crt", "tls-server-name": "kubernetes" }),
    "ca.crt": "CA",
  });
  expect(await access({ kind: "file", file }).login()).toEqual({
    ...{ server: "https://10.0.0.1:6443", user: "admin", headers: { Authorization: "Bearer t" } },
    tls: { ca: Buffer.from("CA"), servername: "kubernetes" },
  });
});

test("another context than the current one", async (context) => {
  const { file } = folder(context, { config: kubeconfig({ token: "t" }) });
  expect(await access({ kind: "file", file, context: "there" }).login()).toMatchObject({
    user: "other",
    headers: { Authorization: "Bearer other-token" },
  });
});

test("a client certificate, impersonation, a server that is not verified, and a password", async (context) => {
  const user = { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY"), as: "somebody" };
  const { file, write } = folder(context, { config: kubeconfig(user, { "insecure-skip-tls-verify": true }) });
  expect(await access({ kind: "file", file }).login()).toMatchObject({
    headers: { "Impersonate-User": "somebody" },
    tls: { cert: Buffer.from("CERT"), key: Buffer.from("KEY"), rejectUnauthorized: false },
  });
  write("config", kubeconfig({ username: "u", password: "p" }));
  expect((await access({ kind: "file", file }).login()).headers).toEqual({ Authorization: `Basic ${base64("u:p")}` });
});

test("a proxy in front of the cluster brings its own agent", async (context) => {
  const { file } = folder(context, { config: kubeconfig({ token: "t" }, { "proxy-url": "http://127.0.0.1:3128" }) });
  expect((await access({ kind: "file", file }).login()).agent).toBeDefined();
});

test("a file with a token, and the authority's file, are read again each minute", async (context) => {
  const { file, write } = folder(context, {
    config: kubeconfig({ tokenFile: "token" }, { "certificate-authority": "ca.crt" }),
    ...{ token: "first\n", "ca.crt": "CA 1" },
  });
  const { login, clock } = access({ kind: "file", file });
  const now = async () => {
    const { headers, tls } = await login();
    return `${headers["Authorization"]} ${tls.ca}`;
  };
  expect(await now()).toBe("Bearer first CA 1");
  write("ca.crt", "CA 2");
  clock.advance(59_999);
  expect(await now()).toBe("Bearer first CA 1");
  clock.advance(1);
  expect(await now()).toBe("Bearer first CA 2");
});

test("a login that was refused is read from scratch", async (context) => {
  const { file, write } = folder(context, { config: kubeconfig({ tokenFile: "token" }), token: "first" });
  const { login, refused } = access({ kind: "file", file });
  await login();
  write("token", "second");
  expect((await login()).headers).toEqual({ Authorization: "Bearer first" });
  refused();
  expect((await login()).headers).toEqual({ Authorization: "Bearer second" });
});

test("a rewritten kubeconfig is taken up within a minute, a broken one is not", async (context) => {
  const { file, write } = folder(context, { config: kubeconfig({ token: "first" }) });
  const { login, clock } = access({ kind: "file", file });
  await login();
  write("config", kubeconfig({ token: "second" }));
  clock.advance(60_000);
  expect((await login()).headers).toEqual({ Authorization: "Bearer second" });
  write("config", "{");
  clock.advance(60_000);
  expect((await login()).headers).toEqual({ Authorization: "Bearer second" });
});

const plugin = (answers: string) => ({
  exec: {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: [
      "-e",
      `const fs = require("node:fs");
       fs.appendFileSync(${JSON.stringify(answers)}, "x");
       const token = "call-" + fs.readFileSync(${JSON.stringify(answers)}, "utf8").length;
       console.log(JSON.stringify({ kind: "ExecCredential", status: { token } }));`,
    ],
  },
});

test("a credential plugin is asked once for all who wait, and again when what it gave was refused", async (context) => {
  const { file, dir, write } = folder(context);
  write("config", kubeconfig(plugin(join(dir, "calls"))));
  const { login, refused, clock } = access({ kind: "file", file });
  const logins = await Promise.all([login(), login(), login()]);
  expect(logins.map(({ headers }) => headers["Authorization"])).toEqual(Array(3).fill("Bearer call-1"));
  clock.advance(60_000);
  expect((await login()).headers).toEqual({ Authorization: "Bearer call-1" });
  refused();
  expect((await login()).headers).toEqual({ Authorization: "Bearer call-2" });
});

afterEach(() => vi.unstubAllEnvs());

test("a pod's service account", async (context) => {
  const { dir } = folder(context);
  const root = join(dir, "/var/run/secrets/kubernetes.io/serviceaccount");
  await mkdir(dirname(join(root, "token")), { recursive: true });
  writeFileSync(join(root, "token"), "pod-token");
  writeFileSync(join(root, "ca.crt"), "CA");
  const source = { kind: "in-cluster", root: dir } as const;
  await expect(access(source).login()).rejects.toThrow("KUBERNETES_SERVICE_HOST");
  vi.stubEnv("KUBERNETES_SERVICE_HOST", "fd00::1");
  vi.stubEnv("KUBERNETES_SERVICE_PORT", "443");
  expect(await access(source).login()).toEqual({
    ...{ server: "https://[fd00::1]:443", user: "the pod's service account" },
    ...{ headers: { Authorization: "Bearer pod-token" }, tls: { ca: Buffer.from("CA") } },
  });
});

test.for<[string, string | undefined, KubeConfigSource & { readonly kind: "file" }, RegExp]>([
  ["no file", undefined, { kind: "file", file: "" }, /no such file/],
  ["no YAML", "{", { kind: "file", file: "" }, /config: /],
  ["an empty file", "", { kind: "file", file: "" }, /config: /],
  [
    "no such context",
    kubeconfig({}),
    { kind: "file", file: "", context: "nowhere" },
    /"nowhere" leads to no cluster; it has here, there/,
  ],
  ["a plugin that is not there", kubeconfig({ exec: { command: "/no/such" } }), { kind: "file", file: "" }, /ENOENT/],
  [
    "a plugin that fails",
    kubeconfig({ exec: { command: process.execPath, args: ["-e", "console.error('log in first'); process.exit(1)"] } }),
    { kind: "file", file: "" },
    /log in first$/,
  ],
  [
    "plain HTTP",
    kubeconfig({ token: "t" }, { server: "http://10.0.0.1" }),
    { kind: "file", file: "" },
    /HTTP protocol is not allowed/,
  ],
])("%s is told", async ([, config, source, message], context) => {
  const { file } = folder(context, config === undefined ? {} : { config });
  await expect(access({ ...source, file }).login()).rejects.toMatchObject({
    code: "kubernetes/access",
    message: expect.stringMatching(message),
    hint: expect.stringContaining("kubectl"),
  });
});

test("where the server is, without a login", async (context) => {
  const { file, write } = folder(context, { config: kubeconfig({ exec: { command: "/nowhere" } }) });
  expect(await serverIn({ kind: "file", file })).toBe("https://10.0.0.1:6443");
  write("config", "clusters: [");
  expect(await serverIn({ kind: "file", file })).toBeUndefined();
  expect(await serverIn({ kind: "file", file: `${file}-of-nobody` })).toBeUndefined();
});
