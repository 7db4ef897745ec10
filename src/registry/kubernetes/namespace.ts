import { stringMap } from "../../base/decode.ts";
import type { KubeResource } from "../../kube/reflector.ts";
import { type LabelSelector, selectsLabels } from "../../model/label-selector.ts";
import { type Projected, projection } from "./projected.ts";
import { annotatedDistribution, distributionAnnotation, type TrafficDistribution } from "./traffic-distribution.ts";

export interface KubeNamespace {
  /** Do we look at what is in it? */
  readonly isSelected: boolean;
  /** For services that say nothing of it. */
  readonly distribution?: TrafficDistribution;
}

/** `selectors`: one of them must select the namespace; none: all are selected. */
export const namespaces = (selectors: readonly LabelSelector[]): KubeResource<Projected<KubeNamespace>> => ({
  base: "/api/v1",
  plural: "namespaces",
  project: projection("Namespace", (object) => {
    const metadata = object.at("metadata");
    const labels = metadata.at("labels").read(stringMap) ?? {};
    const distribution = metadata.at("annotations", distributionAnnotation).read(annotatedDistribution);
    return {
      isSelected: selectors.length === 0 || selectors.some((selector) => selectsLabels(selector, labels)),
      ...(distribution && { distribution }),
    };
  }),
});
