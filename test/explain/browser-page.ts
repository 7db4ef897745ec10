/* Runs in a browser and in Node: explains by a config dump. */
import type { JsonValue } from "@bufbuild/protobuf";
import { decode } from "../../src/base/decode.ts";
import { resourcesInDump } from "../../src/envoy/config-dump.ts";
import { explain } from "../../src/explain/explain.ts";
import { nowhere } from "../../src/explain/places.ts";
import { question } from "../../src/explain/question.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";

export interface Input {
  readonly dump: JsonValue;
  readonly questions: readonly object[];
}

export function run({ dump, questions }: Input): readonly unknown[] {
  const configuration = { resources: resourcesInDump(dump), locate: nowhere };
  return questions.map((asked) => {
    const decoded = decode(question, asked);
    return decoded.ok ? explain(configuration, decoded.value, semanticsOf(undefined)) : decoded.problems;
  });
}
