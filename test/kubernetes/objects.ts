import type { KubeObject } from "../support/kube-api.ts";

/* The objects that tests apply, all of them in one namespace. */

export const namespace = "shop";

export const namespaceObject: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };

/** Whom Fairway signs in as, with what it may do: read what the catalog is made of. */
export const account = "mesh/fairway";

const rbac = "rbac.authorization.k8s.io/v1";
const readers = "fairway";

export const roleOf = (kinds: Readonly<Record<string, readonly string[]>> = catalogKinds): KubeObject => ({
  apiVersion: rbac,
  kind: "ClusterRole",
  metadata: { name: readers },
  rules: Object.entries(kinds).map(([group, resources]) => ({
    apiGroups: [group],
    resources,
    verbs: ["list", "watch"],
  })),
});

export const catalogKinds = {
  "": ["namespaces", "nodes", "pods", "services"],
  "discovery.k8s.io": ["endpointslices"],
};

export const roleBinding: KubeObject = {
  apiVersion: rbac,
  kind: "ClusterRoleBinding",
  metadata: { name: readers },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: readers },
  subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "system:serviceaccount:mesh:fairway" }],
};

/** Every pod of the tests listens here. */
export const podPort = 8080;

export const servicePort = 9080;

/** `<name>.shop`, of the pods with the label `app`; `clusterIP` None: headless. */
export const service = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ name: "http", port: servicePort, targetPort: podPort }], ...spec },
});

export interface PodOptions {
  readonly app: string;
  readonly version?: string;
  /** It goes on serving for so long after its deletion. Default: 0. */
  readonly preStopSeconds?: number;
}

export const pod = (name: string, { app, version = "v1", preStopSeconds = 0 }: PodOptions): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: { app, version } },
  spec: {
    nodeName: "node-1",
    containers: [
      {
        name: "app",
        image: "none",
        ports: [{ containerPort: podPort }],
        ...(preStopSeconds > 0 && { lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } } }),
      },
    ],
  },
});

export const hostOf = (name: string): string => `${name}.${namespace}.svc.cluster.local`;

/** The endpoints of a service without a selector; `pod`: whose address it is. */
export interface SliceEndpoint {
  readonly address: string;
  readonly pod?: KubeObject;
}

export const endpointSlice = (serviceName: string, endpoints: readonly SliceEndpoint[]): KubeObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: serviceName, namespace, labels: { "kubernetes.io/service-name": serviceName } },
  addressType: "IPv4",
  ports: [{ name: "http", port: podPort, protocol: "TCP" }],
  endpoints: endpoints.map(({ address, pod: target }) => ({
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    ...(target && {
      targetRef: { kind: "Pod", namespace, name: target.metadata.name, uid: target.metadata["uid"] },
    }),
  })),
});
