import type { Case } from "../case.ts";
import { ackCases } from "./ack.ts";
import { errorCases } from "./errors.ts";
import { lifecycleCases } from "./lifecycle.ts";
import { nackCases } from "./nack.ts";
import { onDemandCases } from "./on-demand.ts";
import { orderEndpointCases } from "./order-endpoints.ts";
import { orderReferenceCases } from "./order-references.ts";
import { orderSecretCases } from "./order-secrets.ts";
import { orderSequenceCases } from "./order-sequence.ts";
import { singleTypeCases } from "./single-type.ts";
import { ttlCases } from "./ttl.ts";
import { typeCases } from "./types.ts";
import { xdstpCases } from "./xdstp.ts";

/** Every case. Each family has its own file; a new one is added here. */
export const allCases: readonly Case[] = [
  ...[...lifecycleCases, ...singleTypeCases, ...ackCases, ...nackCases],
  ...[...orderSequenceCases, ...orderReferenceCases, ...orderEndpointCases, ...orderSecretCases],
  ...[...typeCases, ...onDemandCases, ...ttlCases, ...errorCases, ...xdstpCases],
import { sotwNameCases } from "./sotw-names.ts";
import { sotwPushCases } from "./sotw-pushes.ts";
import { sotwSetCases } from "./sotw-sets.ts";
import { wildcardCases } from "./wildcard.ts";

/** Every case. Each family has its own file; a new one is added here. */
export const allCases: readonly Case[] = [
  ...lifecycleCases,
  ...singleTypeCases,
  ...ackCases,
  ...nackCases,
  ...sotwSetCases,
  ...sotwNameCases,
  ...sotwPushCases,
  ...wildcardCases,
];
