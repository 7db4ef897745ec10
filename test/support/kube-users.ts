import { randomUUID } from "node:crypto";
import type { KubeServer, KubeUser } from "./kube-api.ts";

/** Somebody whom the API server knows by a token. */
export interface LabUser extends KubeUser {
  readonly groups: readonly string[];
}

/** May do everything. */
export const adminName = "admin";

/** Of `<namespace>/<name>`. */
export const userOfServiceAccount = (account: string): string => `system:serviceaccount:${account.replace("/", ":")}`;

/** The administrator and these service accounts (`<namespace>/<name>`). */
export const usersOf = (serviceAccounts: readonly string[]): readonly LabUser[] => [
  userWith(adminName, ["system:masters"]),
  ...serviceAccounts.map((account) =>
    userWith(userOfServiceAccount(account), [
      ...["system:serviceaccounts", `system:serviceaccounts:${account.split("/")[0]}`, "system:authenticated"],
    ]),
  ),
];

const userWith = (name: string, groups: readonly string[]): LabUser => ({ name, groups, token: randomUUID() });

export function userNamed(users: readonly LabUser[], name: string): LabUser {
  const found = users.find((user) => user.name === name);
  if (found === undefined) throw new Error(`no token was made for ${name}; there is ${users.map((user) => user.name)}`);
  return found;
}

/** The file that the API server reads once, when it starts. */
export const tokenFileOf = (users: readonly LabUser[]): string =>
  users.map(({ token, name, groups }) => `${token},${name},${name},"${groups}"\n`).join("");

/** Where nothing is encrypted, clients want to be told that nothing shall be verified. */
const trust = (url: string, caFile: string) =>
  url.startsWith("https:") ? { "certificate-authority": caFile } : { "insecure-skip-tls-verify": true };

export const kubeconfigOf = ({ url, caFile }: Pick<KubeServer, "url" | "caFile">, { name, token }: KubeUser) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "lab", cluster: { server: url, ...trust(url, caFile) } }],
  users: [{ name, user: { token } }],
  contexts: [{ name: "lab", context: { cluster: "lab", user: name } }],
  "current-context": "lab",
});
