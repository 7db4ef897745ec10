import { type Decoder, list } from "../../base/decode.ts";
import { optional, required } from "../../base/decode-object.ts";
import { anyText, number, placeFields, positive, shape, time, word } from "../../base/shape.ts";
import type {
  HeldServiceView,
  HeldView,
  RegistryHoldView,
  RegistryProblemView,
  RegistryView,
} from "../types/registries.ts";

/* Where services come from, as clients read it. */

const hold = shape<RegistryHoldView>({ by: required(anyText), since: required(time) });

const heldService = shape<HeldServiceView>({
  host: required(anyText),
  namespace: required(anyText),
  reason: required(word("emptied", "gone", "shrunk", "operator")),
  held: required(number),
  served: required(number),
});

const held = shape<HeldView>({
  services: required(number),
  instances: required(number),
  until: optional(time),
  items: required(list(heldService)),
});

const registryProblem = shape<RegistryProblemView>({
  code: required(anyText),
  message: required(anyText),
  hint: optional(anyText),
  ...placeFields,
});

export const registryView: Decoder<RegistryView> = shape<RegistryView>({
  name: required(anyText),
  kind: required(anyText),
  precedence: required(positive),
  state: required(word("INITIAL", "LIVE", "SUSPECT", "OUTAGE")),
  since: required(time),
  asOf: optional(time),
  services: required(number),
  instances: required(number),
  hold: optional(hold),
  held: optional(held),
  problems: required(list(registryProblem)),
});
