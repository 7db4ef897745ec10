import { anything, boolean, type Decoder, described, failed, list, schemaOf } from "../../base/decode.ts";
import { optional, required } from "../../base/decode-object.ts";
import { anyText, many, number, placeFields, positive, shape, time, word } from "../../base/shape.ts";
import type { ChangeResultView, ChangeSetView, WatchEventView } from "../types/change-sets.ts";
import type { FindingView, RuleFindingView } from "../types/findings.ts";
import type {
  ConditionView,
  ManagerView,
  RuleDeliveryView,
  RuleListView,
  RuleMetadataView,
  RuleObjectView,
  RuleRefusalView,
  RuleStatusView,
  RuleView,
} from "../types/rules.ts";
import { pageFields } from "./pages.ts";

/* Rules, their findings and what became of them, as clients read them. */

const findingFields = {
  code: required(anyText),
  severity: required(word("error", "warning")),
  pointer: required(anyText),
  ...placeFields,
  message: required(anyText),
  hint: optional(anyText),
};

export const ruleFindingView = shape<RuleFindingView>(findingFields);
const findings = list(ruleFindingView);

const namedFields = { kind: required(anyText), namespace: required(anyText), name: required(anyText) };

export const findingView: Decoder<FindingView> = shape<FindingView>({
  ...findingFields,
  about: required(shape<FindingView["about"]>(namedFields)),
});

const verdict = word("valid", "warned", "refused");
const inForce = word("current", "previous", "none");

export const ruleView: Decoder<RuleView> = shape<RuleView>({
  ...namedFields,
  verdict: required(verdict),
  inForce: required(inForce),
  file: optional(anyText),
  line: optional(positive),
  findings: required(findings),
});

export const managerView = shape<ManagerView>({
  kind: required(word("directory")),
  file: optional(anyText),
  line: optional(positive),
});

const completedMetadata = shape<RuleMetadataView>({
  name: required(anyText),
  namespace: required(anyText),
  uid: required(anyText),
  generation: required(number),
  revision: required(number),
  createdAt: required(time),
  createdBy: required(anyText),
  updatedAt: required(time),
  updatedBy: required(anyText),
  appliedFrom: optional(
    shape<{ readonly file: string; readonly line: number }>({ file: required(anyText), line: required(positive) }),
  ),
  managedBy: optional(managerView),
});

/** The author's own fields stay beside ours. */
const metadataView: Decoder<RuleObjectView["metadata"]> = described(
  (value, site) => {
    const ours = completedMetadata(value, site);
    return ours === failed ? failed : { ...(value as Readonly<Record<string, unknown>>), ...ours };
  },
  () => schemaOf(completedMetadata),
);

export const conditionView = shape<ConditionView>({
  type: required(word("Accepted", "InForce")),
  status: required(word("True", "False", "Unknown")),
  reason: required(anyText),
  message: required(anyText),
});

const ruleDeliveryView = shape<RuleDeliveryView>({
  targeted: required(number),
  acked: required(number),
  pending: required(number),
  refused: required(number),
});

export const ruleRefusalView = shape<RuleRefusalView>({
  proxy: required(anyText),
  type: required(anyText),
  resource: required(anyText),
  reason: required(anyText),
  at: required(time),
  pointer: required(anyText),
  ...placeFields,
});

export const ruleStatusView: Decoder<RuleStatusView> = shape<RuleStatusView>({
  observedGeneration: required(number),
  verdict: required(verdict),
  inForce: required(inForce),
  conditions: required(list(conditionView)),
  delivery: required(ruleDeliveryView),
  findings: required(findings),
  refusals: required(list(ruleRefusalView)),
});

export const ruleObjectView: Decoder<RuleObjectView> = shape<RuleObjectView>({
  apiVersion: required(anyText),
  kind: required(anyText),
  metadata: required(metadataView),
  spec: required(anything),
  status: required(ruleStatusView),
});

export const changeSetView: Decoder<ChangeSetView> = shape<ChangeSetView>({
  revision: required(number),
  dryRun: required(boolean),
  results: required(
    list(
      shape<ChangeResultView>({
        ...namedFields,
        action: required(word("created", "configured", "unchanged", "deleted")),
        generation: optional(number),
        findings: required(findings),
      }),
      many,
    ),
  ),
});

export const watchEventView: Decoder<WatchEventView> = shape<WatchEventView>({
  type: required(word("ADDED", "MODIFIED", "DELETED", "BOOKMARK")),
  revision: required(number),
  object: optional(ruleObjectView),
});

export const ruleListView: Decoder<RuleListView> = shape<RuleListView>({
  items: required(list(ruleObjectView)),
  ...pageFields,
  revision: required(number),
});
