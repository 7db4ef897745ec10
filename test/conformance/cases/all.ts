import type { Case } from "../case.ts";
import { ackCases } from "./ack.ts";
import { clientStatusCases } from "./client-status.ts";
import { initialVersionCases } from "./delta-initial-versions.ts";
import { deltaPartCases } from "./delta-parts.ts";
import { deltaResourceCases } from "./delta-resources.ts";
import { deltaSubscriptionCases } from "./delta-subscription.ts";
import { errorCases } from "./errors.ts";
import { flowConnectionCases } from "./flow-connections.ts";
import { flowSizeCases } from "./flow-size.ts";
import { lifecycleCases } from "./lifecycle.ts";
import { limitCases } from "./limits.ts";
import { nackCases } from "./nack.ts";
import { onDemandCases } from "./on-demand.ts";
import { orderEndpointCases } from "./order-endpoints.ts";
import { orderInterleavingCases } from "./order-interleavings.ts";
import { orderReferenceCases } from "./order-references.ts";
import { orderSecretCases } from "./order-secrets.ts";
import { orderSequenceCases } from "./order-sequence.ts";
import { reconnectCases } from "./reconnect.ts";
import { stormCases } from "./reconnect-storm.ts";
import { sideServiceCases } from "./side-services.ts";
import { singleTypeCases } from "./single-type.ts";
import { sotwNameCases } from "./sotw-names.ts";
import { sotwPushCases } from "./sotw-pushes.ts";
import { sotwSetCases } from "./sotw-sets.ts";
import { ttlCases } from "./ttl.ts";
import { typeCases } from "./types.ts";
import { wildcardCases } from "./wildcard.ts";
import { xdstpCases } from "./xdstp.ts";

/** Every case. Each family has its own file; a new one is added here. */
export const allCases: readonly Case[] = [
  ...ackCases,
  ...clientStatusCases,
  ...initialVersionCases,
  ...deltaPartCases,
  ...deltaResourceCases,
  ...deltaSubscriptionCases,
  ...errorCases,
  ...flowConnectionCases,
  ...flowSizeCases,
  ...lifecycleCases,
  ...limitCases,
  ...nackCases,
  ...onDemandCases,
  ...orderEndpointCases,
  ...orderInterleavingCases,
  ...orderReferenceCases,
  ...orderSecretCases,
  ...orderSequenceCases,
  ...stormCases,
  ...reconnectCases,
  ...sideServiceCases,
  ...singleTypeCases,
  ...sotwNameCases,
  ...sotwPushCases,
  ...sotwSetCases,
  ...ttlCases,
  ...typeCases,
  ...wildcardCases,
  ...xdstpCases,
];
