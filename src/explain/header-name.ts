import { parsed } from "../base/decode.ts";

/** The name of a header in any case; the host is none here. */
export const headerName = parsed(
  (value) => (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value) ? value : undefined),
  "the name of a header",
  { maxLength: 256, hint: "The host stands in the URL, or in `authority`." },
);
