/* A mesh of many services, each with a VirtualService of 25 lines and a DestinationRule: two rules a service. */

const numberOf = (service: number): string => `${service >> 16}.${(service >> 8) & 255}.${service & 255}`;

/** Where the first instance of a service is. */
export const instanceOf = (service: number): string => `10.${numberOf(service)}`;

const hostOf = (service: number): string => `service-${service}.ns-${service % 20}.svc.cluster.local`;

/** Even numbers are VirtualServices, odd ones the DestinationRules of the same services; `share` (1 to 99) is a value to change. */
export function exampleRule(index: number, share: number): string {
  const service = Math.floor(index / 2);
  return index % 2 === 0 ? virtualService(service, share) : destinationRule(service, share);
}

export function exampleRulePath(index: number): string {
  const service = Math.floor(index / 2);
  const kind = index % 2 === 0 ? "virtualservices" : "destinationrules";
  return `/api/v1/namespaces/ns-${service % 20}/${kind}/rule-${service}`;
}

/** The catalog of the services that so many rules speak of. */
export function exampleCatalog(rules: number): string {
  const services = Array.from({ length: Math.ceil(rules / 2) }, (_, service) => {
    const instances = `[{ address: ${instanceOf(service)}, labels: { version: v1 } }, { address: 11.${numberOf(service)}, labels: { version: v2 } }]`;
    return `  - { host: ${hostOf(service)}, addresses: [12.${numberOf(service)}], ports: [{ name: http, number: 80 }], instances: ${instances} }\n`;
  });
  return `services:\n${services.join("")}`;
}

const virtualService = (service: number, weight: number) => `# Service ${service}.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: rule-${service}
  namespace: ns-${service % 20}
  labels: { team: t${service % 10}, app: "app-${service}" }
spec:
  hosts: [${hostOf(service)}]
  http:
    - match:
        - uri: { prefix: /api/ }
          headers:
            end-user: { exact: "user-${service}" }
      route:
        - destination: { host: ${hostOf(service)}, subset: v2 }
    - route:
        - destination: { host: ${hostOf(service)}, subset: v1 }
          weight: ${weight}
        - destination: { host: ${hostOf(service)}, subset: v2 }
          weight: ${100 - weight}
`;

const balancers = ["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"];

const destinationRule = (service: number, share: number) => `# Service ${service}.
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: rule-${service}
  namespace: ns-${service % 20}
  labels: { team: t${service % 10}, app: "app-${service}" }
spec:
  host: ${hostOf(service)}
  trafficPolicy:
    loadBalancer: { simple: ${balancers[share % balancers.length]} }
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
`;

/** What the proxies of a namespace see: the services of their own namespace. */
export const exampleSidecar = (namespace: string) => `apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default, namespace: ${namespace} }
spec:
  egress:
    - hosts: ["./*"]
`;
