/** A metric of the control plane whose metrics port on 127.0.0.1 this is, by its labels. */
export async function metric(port: number, name: string): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.matchAll(new RegExp(`^${name}\\{([^}]*)\\} (\\S+)$`, "gm"));
  return Object.fromEntries([...lines].map(([, labels = "", value]) => [labels, Number(value)]));
}
