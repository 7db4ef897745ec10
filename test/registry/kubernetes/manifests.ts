/** Objects as the API server gives them, of which a test says what matters. They can be created there, too. */
export interface Manifest {
  readonly [field: string]: unknown;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
}

/** Parts of `metadata`, and anything else. */
export interface Options {
  readonly [field: string]: unknown;
  readonly metadata?: Partial<Metadata>;
}

function manifest(
  kind: string,
  apiVersion: string,
  metadata: Metadata,
  { metadata: more, ...rest }: Options,
): Manifest {
  return { apiVersion, kind, metadata: { ...metadata, ...more }, ...rest };
}

export const keyOf = ({ metadata }: { readonly metadata?: unknown }): string => {
  const { namespace, name } = metadata as Metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
};

export const namespace = (name: string, metadata: Partial<Metadata> = {}): Manifest =>
  manifest("Namespace", "v1", { name }, { metadata });

export const node = (name: string, labels: Readonly<Record<string, string>> = {}): Manifest =>
  manifest("Node", "v1", { name, labels }, {});

export const pod = (
  name: string,
  { spec = {}, status = {}, ...options }: Options & { readonly spec?: object; readonly status?: object } = {},
): Manifest =>
  manifest(
    "Pod",
    "v1",
    { name, namespace: "shop", uid: `uid-${name}`, labels: { app: "reviews" } },
    {
      spec: { containers: [{ name: "app", image: "app" }], serviceAccountName: "default", nodeName: "node-a", ...spec },
      status: { phase: "Running", ...status },
      ...options,
    },
  );

export const httpPort = { name: "http", port: 80, targetPort: 8080 };

/** One of the type ClusterIP, with the port `http`. */
export const service = (
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  { status, ...metadata }: Partial<Metadata> & { readonly status?: object } = {},
): Manifest =>
  manifest(
    "Service",
    "v1",
    { name, namespace: "shop" },
    {
      metadata,
      spec: { type: "ClusterIP", clusterIP: "10.96.0.1", ports: [httpPort], ...spec },
      ...(status && { status }),
    },
  );

export interface EndpointOptions {
  readonly [field: string]: unknown;
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}

/** An endpoint that no pod stands behind; ready where nothing is said. */
export const address = (
  text: string,
  { ready = true, serving, terminating, ...rest }: EndpointOptions = {},
): Readonly<Record<string, unknown>> => ({
  addresses: [text],
  conditions: { ready, ...(serving !== undefined && { serving }), ...(terminating !== undefined && { terminating }) },
  ...rest,
});

/** That of a pod. */
export const endpoint = (podName: string, text: string, options: EndpointOptions = {}) =>
  address(text, {
    targetRef: { kind: "Pod", name: podName, namespace: "shop", uid: `uid-${podName}` },
    nodeName: "node-a",
    ...options,
  });

/** A slice of the service that its name begins with (`reviews-1`), with the port `http`. */
export const slice = (
  name: string,
  endpoints: readonly unknown[],
  { metadata = {}, ...rest }: Options = {},
): Manifest =>
  manifest(
    "EndpointSlice",
    "discovery.k8s.io/v1",
    { name, namespace: "shop", labels: { "kubernetes.io/service-name": name.split("-")[0] ?? "" }, ...metadata },
    { addressType: "IPv4", ports: [{ name: "http", port: 8080, protocol: "TCP" }], endpoints, ...rest },
  );
