import { join } from "node:path";
import { formatHostPort } from "./host-port.ts";

/**
 * Where a server publishes the token for its own user, and where clients look for it: one file for each address of an API.
 * Spellings of one address have one file; `localhost` has that of 127.0.0.1.
 */
export function tokenFileOf(configFolder: string, host: string, port: number): string {
  const written = URL.parse(`http://${formatHostPort({ host, port })}`)?.hostname ?? host.toLowerCase();
  const bare = written.replace(/^\[|\]$/g, "");
  return join(configFolder, "tokens", `${encodeURIComponent(bare === "localhost" ? "127.0.0.1" : bare)}_${port}`);
}
