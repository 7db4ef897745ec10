import { stringMap } from "../../base/decode.ts";
import type { KubeResource } from "../../kube/reflector.ts";
import type { Locality } from "../../model/locality.ts";
import { nodeLocality } from "./locality-labels.ts";
import { type Projected, projection } from "./projected.ts";

export interface KubeNode {
  readonly locality: Locality;
}

/** Nodes that say where they stand. */
export const nodes: KubeResource<Projected<KubeNode>> = {
  base: "/api/v1",
  plural: "nodes",
  project: projection("Node", (object) => {
    const locality = nodeLocality(object.at("metadata", "labels").read(stringMap) ?? {});
    return locality && { locality };
  }),
};
