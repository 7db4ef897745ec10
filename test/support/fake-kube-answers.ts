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
