import type { Decoder } from "../../base/decode.ts";
import { required } from "../../base/decode-object.ts";
import { anyText, placeFields, shape, word } from "../../base/shape.ts";
import type { RepairView } from "../types/proxies.ts";
import type { RulePlaceView } from "../types/rules.ts";

/** Parts of what is said of a proxy's resources. */

export const rulePlaceView: Decoder<RulePlaceView> = shape<RulePlaceView>({
  rule: required(anyText),
  pointer: required(anyText),
  ...placeFields,
});

export const repairFields = { kind: required(word("missing", "broken", "conflict")), reason: required(anyText) };

export const repairView: Decoder<RepairView> = shape<RepairView>({
  type: required(anyText),
  resource: required(anyText),
  ...repairFields,
});
