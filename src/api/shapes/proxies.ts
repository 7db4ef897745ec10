import { anything, type Decoder, list, mapOf } from "../../base/decode.ts";
import { optional, required } from "../../base/decode-object.ts";
import { anyText, many, number, shape, time, word } from "../../base/shape.ts";
import type { ProxyConfigView, ProxyResourceView, ProxyView, RefusalView, TypeDeliveryView } from "../types/proxies.ts";
import { repairFields, repairView, rulePlaceView } from "./repairs.ts";

/* Proxies, and what they get, as clients read them. */

export const typeDeliveryView = shape<TypeDeliveryView>({
  resources: required(number),
  pending: required(number),
  refused: required(number),
  lastAckAt: optional(time),
});

export const refusalView = shape<RefusalView>({
  type: required(anyText),
  resource: required(anyText),
  reason: required(anyText),
  at: required(time),
  rules: optional(list(rulePlaceView)),
});

export const proxyView: Decoder<ProxyView> = shape<ProxyView>({
  id: required(anyText),
  kind: required(word("sidecar", "gateway", "proxyless")),
  name: required(anyText),
  namespace: required(anyText),
  client: required(shape<ProxyView["client"]>({ name: required(anyText), version: required(anyText) })),
  connectedSince: optional(time),
  streams: required(number),
  types: required(mapOf(typeDeliveryView)),
  refusals: required(list(refusalView, many)),
  repairs: optional(list(repairView)),
});

export const proxyConfigView: Decoder<ProxyConfigView> = shape<ProxyConfigView>({
  proxy: required(anyText),
  resources: required(
    list(
      shape<ProxyResourceView>({
        type: required(anyText),
        name: required(anyText),
        version: required(anyText),
        state: optional(word("pending", "accepted", "refused")),
        config: required(anything),
        rules: required(list(rulePlaceView)),
        repair: optional(shape<NonNullable<ProxyResourceView["repair"]>>(repairFields)),
      }),
      many,
    ),
  ),
});
