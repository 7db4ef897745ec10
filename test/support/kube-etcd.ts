/** Calls of etcd's gRPC as JSON: `POST /v3/kv/range`. */
async function etcdCall<T>(url: string, call: string, body: object): Promise<T> {
  const answer = await fetch(`${url}/v3/kv/${call}`, { method: "POST", body: JSON.stringify(body) });
  const said = await answer.text();
  if (!answer.ok) throw new Error(`etcd, ${call}: ${answer.status} ${said}`);
  return JSON.parse(said);
}

/** Forgets every revision but the present one. */
export async function compactEtcd(url: string): Promise<void> {
  const key = Buffer.from("/").toString("base64");
  const { header } = await etcdCall<{ readonly header: { readonly revision: string } }>(url, "range", { key });
  await etcdCall(url, "compaction", { revision: header.revision, physical: true });
}
