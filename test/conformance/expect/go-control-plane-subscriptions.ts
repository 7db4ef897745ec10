import type { StatementId } from "../statements.ts";
import { deltaVariants, sotwVariants } from "../variants.ts";
import type { Expectation } from "./expectation.ts";

const seen = "2026-11-22";

/** One deviation, and where it shows: a statement's cases of these titles, or all of them. */
interface Deviation extends Omit<Expectation, "statement" | "title" | "seen"> {
  readonly shows: readonly (readonly [StatementId, ...titles: readonly string[]])[];
}

const asStar = "the first request for everything, as [*], is answered though there is nothing";
const starBeside = "covered by the wildcard and by name, it is answered once";
const starIsEverything = "* is everything, and goes on to be";
const emptyIsEverything = "an empty first list is everything, and goes on to be";
const downToNothing = "everything, then * and a name, then the name, then nothing";
const starLater = "a name first, then * beside it: everything; the name alone again: no other one";
const starThenNothing = "[*] first, then an empty list: nothing";
const bothThenNothing = "[*,a] first, then an empty list: nothing";
const nameThenNothing = "[a] first, then an empty list: nothing";
const deltaSteps = "everything, a name beside it, the name alone, nothing";
const namesBefore = "a new stream knows nothing of the names of the one before";
const wildcardBefore = "a new stream knows nothing of the wildcard of the one before";
const typeByType = "a name of one type does not end the wildcard of another";
const firstWithout = "a first request without names asks for nothing; a name later is answered";
const firstWithVersion = "on a new stream, an empty list with the version of the stream before asks for nothing";
const lastDropped = "when the last name is dropped there are no further updates";
const besideAnother = "asked for beside another one, it comes when it exists";
const madeAnew = "deleted and made anew, it comes again";
const droppedName = "a dropped name gets no updates; taken up again, it comes again";

const deviations: readonly Deviation[] = [
  {
    reason: "scoped routes are sent in part, though for Envoy what is left out is removed",
    ...{ configs: ["linear"], variants: sotwVariants, types: ["SRDS"] },
    shows: [
      ["SOT-01"],
      ["SOT-02"],
      ["SOT-04"],
      ["SOT-05"],
      ["SOT-07", besideAnother, madeAnew],
      ["SOT-09"],
      ["SOT-10"],
      ["SOT-13"],
      ["SOT-14"],
      ["WLD-01"],
      ["WLD-02"],
      ["WLD-03", starLater],
      ["WLD-05", namesBefore, typeByType],
    ],
  },
  {
    reason: "with its ADS flag the cache is silent until every resource of the snapshot is asked for by one stream",
    ...{ configs: ["ordered"], variants: sotwVariants },
    shows: [
      ["SOT-02", "a name is added: the answer has the old one too"],
      ["SOT-04"],
      ["SOT-08", asStar, "the first request for a name that does not exist is answered, without it"],
      ["SOT-10"],
      ["SOT-11"],
      ["WLD-01", starIsEverything],
      ["WLD-02"],
      ["WLD-03"],
      ["WLD-05"],
    ],
  },
  {
    reason: "a new version of the whole type is sent for names that have not changed",
    ...{ configs: ["plain", "no-legacy-wildcard"], variants: sotwVariants },
    shows: [["SOT-05", droppedName], ["SOT-11"], ["WLD-05", wildcardBefore]],
  },
  {
    reason: "a new version of the whole type is sent for names that have not changed",
    ...{ configs: ["plain", "ordered", "no-legacy-wildcard"], variants: sotwVariants, sometimes: true },
    shows: [["SOT-07", madeAnew]],
  },
  {
    reason: "an empty list asks for everything of every type, with the option against it too",
    variants: sotwVariants,
    shows: [["SOT-06", firstWithout, firstWithVersion]],
  },
  {
    reason: "an empty list asks for everything of every type, also after names",
    ...{ configs: ["plain", "ordered", "no-legacy-wildcard"], variants: sotwVariants },
    shows: [["SOT-06", lastDropped]],
  },
  {
    reason: "an empty list asks for everything of every type",
    ...{ configs: ["plain", "ordered", "linear"], variants: deltaVariants },
    shows: [["SOT-06", firstWithout]],
  },
  {
    reason: "a name that does not exist is answered with an empty response",
    variants: sotwVariants,
    shows: [["SOT-07", "asked for alone, it is not answered until it exists"]],
  },
  {
    reason:
      "in the state of the world * is the name of a resource that is not there, and every ACK that names it is answered again",
    ...{ configs: ["plain", "no-legacy-wildcard"], variants: sotwVariants },
    shows: [
      ["SOT-08", asStar],
      ["SOT-10", starBeside],
      ["WLD-01", starIsEverything],
      ["WLD-02"],
      ["WLD-03", downToNothing, starLater, starThenNothing, bothThenNothing],
    ],
  },
  {
    reason: "an empty list asks for everything, also after names",
    ...{ configs: ["plain", "no-legacy-wildcard"], variants: sotwVariants },
    shows: [["WLD-03", nameThenNothing]],
  },
  {
    reason: "what has a time to live is wrapped, whatever the client says that it can take",
    ...{ configs: ["plain", "ordered", "no-legacy-wildcard"], variants: sotwVariants },
    shows: [["SOT-14", "plain messages also for what has a time to live"]],
  },
  {
    reason: "an empty first list asks for nothing in this configuration, and is not answered in delta",
    ...{ configs: ["no-legacy-wildcard"], variants: deltaVariants },
    shows: [["WLD-01", emptyIsEverything], ["WLD-04", deltaSteps], ["WLD-05"]],
  },
  {
    reason: "a name that is held already is answered with a response that has nothing in it",
    ...{ configs: ["plain", "ordered"], variants: deltaVariants },
    shows: [["WLD-04", deltaSteps]],
  },
  {
    reason: "what is no longer asked for, or never was, is named as removed",
    ...{ configs: ["linear"], variants: deltaVariants },
    shows: [["WLD-04", deltaSteps, "* and its end: nothing"]],
  },
  {
    reason: "what is no longer asked for, or never was, is named as removed",
    ...{ configs: ["linear"], variants: deltaVariants, sometimes: true },
    shows: [["WLD-05", namesBefore]],
  },
];

/** What is known of v0.14.0 about subscriptions in the state of the world, and about wildcards. */
export const subscriptionExpectations: readonly Expectation[] = deviations.flatMap(({ shows, ...rest }) =>
  shows.flatMap(([statement, ...titles]): readonly Expectation[] =>
    titles.length === 0 ? [{ ...rest, statement, seen }] : titles.map((title) => ({ ...rest, statement, title, seen })),
  ),
);
