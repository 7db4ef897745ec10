import type { ServerResponse } from "node:http";

/* What a server in a test answers. */

type Given = (response: ServerResponse, ...rest: readonly unknown[]) => void;

export const json =
  (code: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Given =>
  (response) =>
    void response.writeHead(code, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));

export const text =
  (code: number, body: string): Given =>
  (response) =>
    void response.writeHead(code, { "Content-Type": "text/plain" }).end(body);

/** What an API server says when it does not do what was asked. */
export const statusObject = (code: number, reason: string, details?: object): object => ({
  ...{ kind: "Status", status: "Failure", code, reason, message: `the fake says ${reason}` },
  ...(details && { details }),
});

export const status = (code: number, reason: string, headers?: Readonly<Record<string, string>>): Given =>
  json(code, statusObject(code, reason), headers);

/** Says nothing, ever. */
export const hang: Given = () => {};

export const reset: Given = (response) => void response.destroy();

/** Begins a watch, writes this, and leaves it open, ends it or breaks it off. */
export const says =
  (written: string, then: "open" | "end" | "reset" = "open"): Given =>
  (response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write(written, () => {
      if (then === "end") response.end();
      if (then === "reset") response.destroy();
    });
  };

/** What a server that knows these collections says at a path above them. */
export function discovery(collections: readonly string[], path: string): Given {
  const places = collections.map((name) => ({
    base: name.slice(0, name.lastIndexOf("/")),
    name: name.slice(name.lastIndexOf("/") + 1),
  }));
  if (path === "/apis") {
    const groups = places.filter(({ base }) => base.startsWith("/apis/")).map(({ base }) => base.split("/")[2]);
    return json(200, { kind: "APIGroupList", groups: [...new Set(groups)].map((name) => ({ name })) });
  }
  const resources = places.filter(({ base }) => base === path).map(({ name }) => ({ name }));
  return resources.length === 0 ? text(404, "404 page not found\n") : json(200, { kind: "APIResourceList", resources });
}
