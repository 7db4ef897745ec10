import type { Case } from "../case.ts";
import { ackCases } from "./ack.ts";
import { lifecycleCases } from "./lifecycle.ts";
import { nackCases } from "./nack.ts";
import { singleTypeCases } from "./single-type.ts";

/** Every case. Each family has its own file; a new one is added here. */
export const allCases: readonly Case[] = [...lifecycleCases, ...singleTypeCases, ...ackCases, ...nackCases];
