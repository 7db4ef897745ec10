import { stringify } from "yaml";
import type { MeshPlan, WorkloadPlan } from "./mesh-plan.ts";

/** Files of the example mesh, by path below its folder. */
export interface MeshFiles {
  /** Follow from addresses and ports; written anew at every start. */
  readonly generated: Readonly<Record<string, string>>;
  /** The user's own; written once and never touched again. */
  readonly rules: Readonly<Record<string, string>>;
}

/** The canary that is a watched file. */
export const canaryFile = "rules/reviews.yaml";
/** The canary that the store owns: nobody watches this file, it is applied. */
export const storedCanaryFile = "ratings.yaml";
export const catalogFile = "mesh/catalog.yaml";
export const ruleFolders = ["rules", "mesh/rules"] as const;

/** `appPorts`: where each workload's application listens, in the order of the plan's workloads. */
export function meshFiles(plan: MeshPlan, appPorts: readonly number[]): MeshFiles {
  return {
    generated: {
      [catalogFile]: `${header("What the registry knows: services and their instances.")}${catalog(plan)}`,
      "mesh/rules/gateway.yaml": `${header("The port that the gateway opens.")}${gateway(plan)}`,
      "mesh/rules/sidecars.yaml": `${header("The listeners of each workload's sidecar.")}${sidecars(plan, appPorts)}`,
    },
    rules: {
      [canaryFile]: `${canary(plan)}---\n${versions("reviews", plan)}`,
      "rules/ratings.yaml": versions("ratings", plan),
      "rules/web.yaml": web(plan),
      [storedCanaryFile]: storedCanary(plan),
    },
  };
}

const header = (what: string): string =>
  `# ${what}\n# Written anew each time \`fairway dev\` starts, from the addresses and ports that are free.\n`;

const documents = (list: readonly object[]): string => list.map((one) => stringify(one)).join("---\n");

function catalog({ namespace, servicePorts, workloads }: MeshPlan): string {
  const services = Object.entries(servicePorts).map(([name, number]) => ({
    name,
    namespace,
    ports: [{ name: "http", number, protocol: "HTTP" }],
    instances: workloads
      .filter(({ service }) => service === name)
      .map(({ service, version, address, ingressPort }) => ({
        id: `${service}-${version}`,
        address,
        ports: { http: ingressPort },
        labels: { app: service, version },
      })),
  }));
  return stringify({ services });
}

const rule = (kind: string, name: string, { namespace }: MeshPlan, spec: object): object => ({
  apiVersion: "networking.istio.io/v1",
  kind,
  metadata: { name, namespace },
  spec,
});

function gateway(plan: MeshPlan): string {
  const { address, port } = plan.gateway;
  return stringify(
    rule("Gateway", "gateway", plan, {
      selector: { app: "gateway" },
      servers: [{ port: { number: port, protocol: "HTTP", name: "http" }, bind: address, hosts: ["*"] }],
    }),
  );
}

function sidecars(plan: MeshPlan, appPorts: readonly number[]): string {
  return documents(plan.workloads.map((workload, index) => sidecar(plan, workload, appPorts[index] ?? 0)));
}

function sidecar(plan: MeshPlan, workload: WorkloadPlan, appPort: number): object {
  const { service, version, address, ingressPort, calls } = workload;
  const egress = calls.map((called) => ({
    port: { number: plan.servicePorts[called], protocol: "HTTP", name: called },
    bind: address,
    captureMode: "NONE",
    hosts: [`./${called}.${plan.namespace}.svc.cluster.local`],
  }));
  return rule("Sidecar", `${service}-${version}`, plan, {
    workloadSelector: { labels: { app: service, version } },
    ingress: [
      {
        port: { number: ingressPort, protocol: "HTTP", name: "http" },
        bind: address,
        captureMode: "NONE",
        defaultEndpoint: `127.0.0.1:${appPort}`,
      },
    ],
    // Without a word on egress it would see the whole mesh.
    egress: egress.length > 0 ? egress : [{ hosts: ["~/*"] }],
  });
}

function web({ namespace }: MeshPlan): string {
  return `# Everything that comes in by the gateway goes to web.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: web
  namespace: ${namespace}
spec:
  hosts: ["*"]
  gateways: [gateway]
  http:
    - route:
        - destination: { host: web }
`;
}

function canary({ namespace }: MeshPlan): string {
  return `# The canary: which share of the calls to reviews goes to which version.
# Change the weights and save; \`fairway dev\` says who took the change.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  namespace: ${namespace}
spec:
  hosts: [reviews]
  http:
    - route:
        - destination: { host: reviews, subset: v1 }
          weight: 90
        - destination: { host: reviews, subset: v2 }
          weight: 10
`;
}

function storedCanary({ namespace }: MeshPlan): string {
  return `# A canary of ratings, kept by the store of Fairway: change the weights here and apply the file.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ratings
  namespace: ${namespace}
spec:
  hosts: [ratings]
  http:
    - route:
        - destination: { host: ratings, subset: v1 }
          weight: 100
        - destination: { host: ratings, subset: v2 }
          weight: 0
`;
}

function versions(service: string, { namespace }: MeshPlan): string {
  return `# What v1 and v2 of ${service} are: labels of the instances.
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: ${service}
  namespace: ${namespace}
spec:
  host: ${service}
  subsets:
    - name: v1
      labels: { version: v1 }
    - name: v2
      labels: { version: v2 }
`;
}

/** The line of the canary file to edit: the first weight. */
export const canaryLine = (text: string): number => text.split("\n").findIndex((line) => /^\s*weight:/.test(line)) + 1;
