import { boolean, type Decoder, integer, list, mapOf } from "../../base/decode.ts";
import { oneOfKinds, optional, required } from "../../base/decode-object.ts";
import { anyText, many, number, positive, shape, texts, time, word } from "../../base/shape.ts";
import type {
  HeartbeatView,
  InstanceView,
  LeaseView,
  OriginView,
  PortView,
  RegisteredInstanceView,
  RegisteredServiceView,
  ServiceView,
} from "../types/services.ts";

/* Services and instances, as clients read them. */

const portNumber = integer({ min: 1, max: 65_535 });
export const portView = shape<PortView>({
  name: required(anyText),
  number: required(portNumber),
  protocol: required(anyText),
});
const ports = list(portView);
const portNumbers = mapOf(portNumber);
const health = word("healthy", "unhealthy", "draining");

export const originView: Decoder<OriginView> = oneOfKinds<OriginView>("kind", {
  registry: shape<Extract<OriginView, { readonly kind: "registry" }>>({
    kind: required(word("registry")),
    registry: required(anyText),
  }),
  rule: shape<Extract<OriginView, { readonly kind: "rule" }>>({
    kind: required(word("rule")),
    rule: required(anyText),
  }),
});

/** What is said of every instance. */
const instanceFields = {
  id: required(anyText),
  address: required(anyText),
  ports: required(portNumbers),
  labels: required(texts),
  locality: required(anyText),
  weight: required(number),
  health: required(health),
} as const;

export const instanceView = shape<InstanceView>({
  ...instanceFields,
  otherAddresses: optional(list(anyText, many)),
  lacks: optional(list(anyText, many)),
  node: optional(anyText),
  serviceAccount: optional(anyText),
  network: optional(anyText),
  hostname: optional(anyText),
  registry: required(anyText),
});

export const serviceView: Decoder<ServiceView> = shape<ServiceView>({
  host: required(anyText),
  namespace: required(anyText),
  addresses: required(list(anyText, many)),
  ports: required(ports),
  resolution: required(word("instances", "dns", "dns-round-robin", "original-destination")),
  aliasOf: optional(anyText),
  visibleIn: optional(list(anyText, many)),
  distribution: optional(word("same-node", "prefer-same-node", "prefer-same-zone")),
  externalAddresses: optional(list(anyText, many)),
  nodePorts: optional(portNumbers),
  external: required(boolean),
  origin: required(originView),
  instances: required(list(instanceView, many)),
});

export const registeredServiceView: Decoder<RegisteredServiceView> = shape<RegisteredServiceView>({
  host: required(anyText),
  namespace: required(anyText),
  addresses: required(list(anyText, many)),
  headless: required(boolean),
  ports: required(ports),
  external: required(boolean),
  registeredAt: required(time),
  registeredBy: required(anyText),
});

const leaseView = shape<LeaseView>({
  ttlMs: required(positive),
  expiresAt: required(time),
  state: required(word("live", "missed")),
});

export const registeredInstanceView: Decoder<RegisteredInstanceView> = shape<RegisteredInstanceView>({
  ...instanceFields,
  registeredAt: required(time),
  registeredBy: required(anyText),
  generation: required(number),
  lease: optional(leaseView),
  draining: optional(
    shape<NonNullable<RegisteredInstanceView["draining"]>>({ since: required(time), until: required(time) }),
  ),
});

export const heartbeatView: Decoder<HeartbeatView> = shape<HeartbeatView>({
  id: required(anyText),
  state: required(word("live", "not-found", "stale")),
});
