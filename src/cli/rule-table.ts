import type { RuleObjectView, RuleStatusView } from "../api/types/rules.ts";
import type { RuleKind } from "../config/rule.ts";
import { formatAge } from "./age.ts";
import { allKinds, wordOf } from "./kinds.ts";
import { childOf, listAt, numberAt, textAt, textsAt } from "./plain-data.ts";
import type { Tone } from "./style.ts";
import type { Cell, Column } from "./table.ts";

/** How rules are shown: one kind or several, in one namespace or several, at which width. */
export interface RuleTableShape {
  /** undefined: all kinds. */
  readonly kind: RuleKind | undefined;
  readonly withNamespace: boolean;
  readonly wide: boolean;
}

interface RuleColumn extends Column {
  readonly of: (rule: RuleObjectView, nowMs: number) => Cell;
}

/** What tells one rule of a kind from another; the first one is shown where kinds are mixed. */
const telling: Readonly<Record<RuleKind, readonly RuleColumn[]>> = {
  VirtualService: [
    { title: "HOSTS", of: ({ spec }) => some(textsAt(spec, "hosts")) },
    { title: "GATEWAYS", of: ({ spec }) => some(textsAt(spec, "gateways")) || { text: "mesh", tone: "quiet" } },
  ],
  DestinationRule: [
    { title: "HOST", of: ({ spec }) => textAt(spec, "host") },
    { title: "SUBSETS", of: ({ spec }) => some(listAt(spec, "subsets").map((one) => textAt(one, "name"))) },
  ],
  Gateway: [
    { title: "HOSTS", of: ({ spec }) => some(listAt(spec, "servers").flatMap((one) => textsAt(one, "hosts"))) },
    { title: "PORTS", of: ({ spec }) => some(listAt(spec, "servers").map(portOf)) },
    { title: "SELECTOR", of: ({ spec }) => labelsOf(childOf(spec, "selector")) },
  ],
  ServiceEntry: [
    { title: "HOSTS", of: ({ spec }) => some(textsAt(spec, "hosts")) },
    { title: "PORTS", of: ({ spec }) => some(listAt(spec, "ports").map((port) => portOf({ port }))) },
    { title: "RESOLUTION", of: ({ spec }) => textAt(spec, "resolution") || { text: "NONE", tone: "quiet" } },
  ],
  Sidecar: [
    {
      title: "WORKLOADS",
      of: ({ spec }) =>
        labelsOf(childOf(childOf(spec, "workloadSelector"), "labels")) || { text: "all", tone: "quiet" },
    },
    { title: "EGRESS", of: ({ spec }) => some(listAt(spec, "egress").flatMap((one) => textsAt(one, "hosts"))) },
  ],
};

export function ruleColumns({ kind, withNamespace, wide }: RuleTableShape): readonly RuleColumn[] {
  return [
    ...(withNamespace ? [{ title: "NAMESPACE", of: ({ metadata }: RuleObjectView) => metadata.namespace }] : []),
    {
      title: kind === undefined ? "RULE" : "NAME",
      of: (rule) => ({ text: kind === undefined ? shortName(rule) : rule.metadata.name, tone: "strong" }),
    },
    ...(kind === undefined ? [{ title: "FOR", of: forAnyKind }] : telling[kind]),
    { title: "IN FORCE", of: ({ status }) => inForceCell(status) },
    { title: "AGE", align: "right", of: ({ metadata }, nowMs) => formatAge(Date.parse(metadata.createdAt), nowMs) },
    ...(wide ? wideColumns : []),
  ];
}

const wideColumns: readonly RuleColumn[] = [
  { title: "GENERATION", align: "right", of: ({ metadata }) => String(metadata.generation) },
  { title: "REVISION", align: "right", of: ({ metadata }) => String(metadata.revision) },
  { title: "BY", of: ({ metadata }) => metadata.updatedBy },
  {
    title: "FILE",
    of: ({ metadata: { managedBy, appliedFrom } }) => {
      const { file, line } = managedBy ?? appliedFrom ?? {};
      return [file, line].filter((part) => part !== undefined).join(":");
    },
  },
];

export const cellsOf = (columns: readonly RuleColumn[], rule: RuleObjectView, nowMs: number): readonly Cell[] =>
  columns.map(({ of }) => of(rule, nowMs));

const shortName = ({ kind, metadata }: RuleObjectView): string => `${wordOf(kind)}/${metadata.name}`;

function forAnyKind(rule: RuleObjectView, nowMs: number): Cell {
  const kind = allKinds.find((known) => known === rule.kind);
  return kind === undefined ? "" : (telling[kind][0]?.of(rule, nowMs) ?? "");
}

/** `3/3`: accepted by, of those that it concerns. */
export function inForceCell({ inForce, delivery }: RuleStatusView): Cell {
  const { targeted, acked, refused } = delivery;
  const numbers = targeted === 0 ? "no proxies" : `${acked}/${targeted}`;
  if (inForce === "none") return { text: "no", tone: "bad" };
  const told = refused > 0 ? `${numbers}, ${refused} refused` : numbers;
  const tone: Tone = refused > 0 ? "bad" : targeted === 0 ? "quiet" : acked < targeted ? "caution" : "good";
  return inForce === "current"
    ? { text: told, tone }
    : { text: `${told} (last valid one)`, tone: refused > 0 ? "bad" : "caution" };
}

/** `8080/HTTP` */
function portOf(server: unknown): string {
  const port = childOf(server, "port");
  return [numberAt(port, "number"), textAt(port, "protocol")].filter((part) => part !== "").join("/");
}

function labelsOf(labels: unknown): string {
  const pairs = typeof labels === "object" && labels !== null ? Object.entries(labels) : [];
  return some(pairs.map(([name, value]) => `${name}=${value}`));
}

const shownItems = 3;

/** The first few. */
function some(items: readonly string[]): string {
  const more = items.length - shownItems;
  return items.slice(0, shownItems).join(" ") + (more > 0 ? ` +${more}` : "");
}
