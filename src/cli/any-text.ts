import { type Decoder, fail } from "../base/decode.ts";

/** Any text; what is shown of it is made visible there. */
export const anyText: Decoder<string> = (value, site) =>
  typeof value === "string" ? value : fail(site, "invalid-type", "Expected a text.");
