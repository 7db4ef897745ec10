import { stringMap, text } from "../../base/decode.ts";
import { createInterner } from "../../base/intern.ts";
import type { KubeResource } from "../../kube/reflector.ts";
import { type Labels, selectorText } from "../../model/labels.ts";
import type { Locality } from "../../model/locality.ts";
import { nodeLocality, podLocality } from "./locality-labels.ts";
import { type Projected, projection } from "./projected.ts";

export interface KubePod {
  readonly uid: string;
  readonly labels: Labels;
  readonly node?: string;
  readonly serviceAccount?: string;
  readonly network?: string;
  /** What it says itself of where it runs; it wins over its node's. */
  readonly locality?: Locality;
  /** What the API server has copied from its node: for who does not know the node. */
  readonly nodeLocality?: Locality;
}

const word = text({ maxLength: 253 });

/** Copies of one workload have one object of labels, mostly. */
const knownLabels = createInterner<Labels>(selectorText, (a, b) => selectorText(a) === selectorText(b));

/** Pods that have ended serve nobody, whatever a slice says of them. */
const endedPhases: ReadonlySet<string> = new Set(["Succeeded", "Failed"]);

/** Address and readiness are the business of the slices. */
export const pods: KubeResource<Projected<KubePod>> = {
  base: "/api/v1",
  plural: "pods",
  project: projection("Pod", (object) => {
    const [metadata, spec] = [object.at("metadata"), object.at("spec")];
    if (endedPhases.has(object.at("status", "phase").read(word) ?? "")) return undefined;
    const labels = knownLabels.the(metadata.at("labels").read(stringMap) ?? {});
    const node = spec.at("nodeName").read(word);
    const serviceAccount = spec.at("serviceAccountName").read(word);
    const network = labels["topology.istio.io/network"];
    const locality = podLocality(labels);
    const copied = nodeLocality(labels);
    return {
      uid: metadata.at("uid").read(word) ?? "",
      labels,
      ...(node !== undefined && { node }),
      ...(serviceAccount !== undefined && { serviceAccount }),
      ...(network !== undefined && network !== "" && { network }),
      ...(locality && { locality }),
      ...(copied && { nodeLocality: copied }),
    };
  }),
};
