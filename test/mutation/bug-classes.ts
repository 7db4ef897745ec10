import { bookkeepingBugs } from "./bookkeeping-bugs.ts";
import type { BugMutant } from "./bug-mutant.ts";
import { couplingBugs } from "./coupling-bugs.ts";
import { lifecycleBugs } from "./lifecycle-bugs.ts";

/** The classes of bugs seen in other control planes are numbered from 1 to this, as in the list that the protocol suite was made from. */
export const classCount = 40;

/** A fault of each class. */
export const bugMutants: readonly BugMutant[] = [...couplingBugs, ...bookkeepingBugs, ...lifecycleBugs];

/** Classes that have no mutant yet, and why. */
export const plannedClasses: Readonly<Record<number, string>> = {
  40: "the rotation of the server's certificate comes with identity (AUT-04)",
};
