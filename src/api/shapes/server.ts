import { boolean, type Decoder, integer, list } from "../../base/decode.ts";
import { optional, required } from "../../base/decode-object.ts";
import { anyText, many, number, positive, shape, word } from "../../base/shape.ts";
import type { ProblemDetailView, ProblemView, ReadyView, VersionView } from "../types/server.ts";

/* The server itself, and its refusals, as clients read them. */

export const readyView: Decoder<ReadyView> = shape<ReadyView>({
  ready: required(boolean),
  reasons: required(list(anyText)),
});
export const versionView: Decoder<VersionView> = shape<VersionView>({
  name: required(anyText),
  version: required(anyText),
  node: required(anyText),
});

export const problemDetailView = shape<ProblemDetailView>({
  parameter: optional(anyText),
  code: optional(anyText),
  severity: optional(word("error", "warning")),
  pointer: optional(anyText),
  message: required(anyText),
  hint: optional(anyText),
  rule: optional(anyText),
  document: optional(number),
  source: optional(
    shape<NonNullable<ProblemDetailView["source"]>>({
      file: optional(anyText),
      line: required(positive),
      column: required(positive),
    }),
  ),
});

export const problemView: Decoder<ProblemView> = shape<ProblemView>({
  type: required(anyText),
  title: required(anyText),
  status: required(integer({ min: 400, max: 599 })),
  detail: required(anyText),
  instance: required(anyText),
  requestId: required(anyText),
  code: required(anyText),
  hint: optional(anyText),
  errors: optional(list(problemDetailView, many)),
});
