import type { Expectation } from "./expectation.ts";

/** What is known of v0.14.0, each entry with what the library does instead. */
export const goControlPlaneExpectations: readonly Expectation[] = [];
