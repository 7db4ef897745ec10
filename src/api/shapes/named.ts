import type { Decoder } from "../../base/decode.ts";
import { newTokenView, tokenView, whoAmIView } from "./access.ts";
import { proxyConfigView, proxyView, refusalView, typeDeliveryView } from "./proxies.ts";
import { registryView } from "./registries.ts";
import { repairView, rulePlaceView } from "./repairs.ts";
import {
  changeSetView,
  conditionView,
  findingView,
  managerView,
  ruleFindingView,
  ruleListView,
  ruleObjectView,
  ruleRefusalView,
  ruleStatusView,
  ruleView,
  watchEventView,
} from "./rules.ts";
import { problemDetailView, problemView, readyView, versionView } from "./server.ts";
import {
  instanceView,
  originView,
  portView,
  registeredInstanceView,
  registeredServiceView,
  serviceView,
} from "./services.ts";

/*
 * This folder is the runtime form of `types.ts`: a decoder for each answer of the API. Clients read answers with them, and the published
 * document says what they say.
 */

/** The shapes that have a name of their own in the published document; others stand where they are used. */
export const namedShapes: Readonly<Record<string, Decoder<unknown>>> = {
  ChangeSet: changeSetView,
  Condition: conditionView,
  Finding: findingView,
  Instance: instanceView,
  Manager: managerView,
  NewToken: newTokenView,
  Origin: originView,
  Port: portView,
  Problem: problemView,
  ProblemDetail: problemDetailView,
  Proxy: proxyView,
  ProxyConfig: proxyConfigView,
  Ready: readyView,
  Refusal: refusalView,
  RegisteredInstance: registeredInstanceView,
  RegisteredService: registeredServiceView,
  Registry: registryView,
  Repair: repairView,
  Rule: ruleObjectView,
  RuleFinding: ruleFindingView,
  RuleList: ruleListView,
  RulePlace: rulePlaceView,
  RuleRefusal: ruleRefusalView,
  RuleStatus: ruleStatusView,
  RuleSummary: ruleView,
  Service: serviceView,
  Token: tokenView,
  TypeDelivery: typeDeliveryView,
  Version: versionView,
  WatchEvent: watchEventView,
  WhoAmI: whoAmIView,
};
