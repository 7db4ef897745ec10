import { below, choice, type Decoder, fail, list, mapped, refined, type Site } from "../base/decode.ts";
import { type ObjectOf, object, required, withDefault } from "../base/decode-object.ts";
import type { LabelRequirement, LabelSelector } from "../model/label-selector.ts";
import { labelName, labels, labelValue } from "./fields.ts";

type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist";

interface OperatorRow {
  readonly takesValues: boolean;
  readonly requirement: (label: string, values: readonly string[]) => LabelRequirement;
}

const operators: Readonly<Record<Operator, OperatorRow>> = {
  In: { takesValues: true, requirement: (label, values) => ({ kind: "in", label, values: new Set(values) }) },
  NotIn: { takesValues: true, requirement: (label, values) => ({ kind: "not-in", label, values: new Set(values) }) },
  Exists: { takesValues: false, requirement: (label) => ({ kind: "exists", label }) },
  DoesNotExist: { takesValues: false, requirement: (label) => ({ kind: "absent", label }) },
};

const expressionFields = {
  key: required(labelName),
  operator: required(choice<Operator>({ In: "In", NotIn: "NotIn", Exists: "Exists", DoesNotExist: "DoesNotExist" })),
  values: withDefault(list(labelValue, { max: 256 }), []),
} as const;

function checkValues({ operator, values }: ObjectOf<typeof expressionFields>, site: Site): void {
  const { takesValues } = operators[operator];
  if (takesValues === values.length > 0) return;
  const hint = takesValues ? "Give at least one value." : "Leave out the values.";
  fail(below(site, "values"), "conflict", `${operator} goes ${takesValues ? "with" : "without"} values.`, hint);
}

const expression: Decoder<LabelRequirement> = mapped(
  refined(object(expressionFields), checkValues),
  ({ key, operator, values }) => operators[operator].requirement(key, values),
);

/** Kubernetes' LabelSelector as an object: `matchLabels` and `matchExpressions`, all of which must hold. */
export const labelSelector: Decoder<LabelSelector> = mapped(
  object({ matchLabels: withDefault(labels, {}), matchExpressions: withDefault(list(expression, { max: 64 }), []) }),
  ({ matchLabels, matchExpressions }) => [
    ...Object.entries(matchLabels).map(([label, value]) => operators.In.requirement(label, [value])),
    ...matchExpressions,
  ],
);
