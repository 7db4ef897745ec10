import { memoize } from "../base/memo.ts";
import { OrderedMap } from "../base/ordered-map.ts";
import type { Catalog } from "../model/catalog.ts";
import type { Instance } from "../model/instance.ts";
import type { ProxyNode } from "../model/proxy.ts";
import { type Distribution, isVisibleIn, type Service, type ServiceKey } from "../model/service.ts";

/* Services whose clients are to use instances near to them. */

/** What being near is told by, from far to near. */
const levels = ["network", "region", "zone", "subzone", "node"] as const;
type Level = (typeof levels)[number];

/** Where something is; an unknown part is the empty string, one that nobody asks for is absent. */
export type Place = Readonly<Partial<Record<Level, string>>>;

/** The parts that matter; of those that prefer, what is alike in the first ones counts, as with Istio's `failoverPriority`. */
const levelsFor: Readonly<Record<Distribution, readonly Level[]>> = {
  "same-node": ["node"],
  "prefer-same-zone": ["network", "region", "zone"],
  "prefer-same-node": ["network", "region", "zone", "subzone", "node"],
};

/** Does it use those that are far as long as near ones are missing? */
export const prefersNear = ({ distribution }: Service): boolean =>
  distribution !== undefined && distribution !== "same-node";

/** What a service wants to know of a client's place, and no more. */
export const placeFor = (distribution: Distribution, place: Place): readonly string[] =>
  levelsFor[distribution].map((level) => place[level] ?? "");

/** Instances in groups that are equally near to a client, the nearest first; `place` as `placeFor` has it. Those that are not to be used are in none. */
export function byNearness(
  distribution: Distribution,
  instances: readonly Instance[],
  place: readonly string[],
): readonly (readonly Instance[])[] {
  if (distribution === "same-node") {
    const [node] = place;
    return [instances.filter((instance) => node !== "" && instance.node === node)];
  }
  // Of who does not know where he is nobody is near.
  const known = levelsFor[distribution].slice(0, 1 + place.findLastIndex((part) => part !== ""));
  const nearness = (instance: Instance): number => {
    const there = placeOf(instance);
    const first = known.findIndex((level, index) => (there[level] ?? place[index]) !== place[index]);
    return first < 0 ? known.length : first;
  };
  return [...Map.groupBy(instances, nearness)].sort(([a], [b]) => b - a).map(([, group]) => group);
}

/** Who names no network is in that of everybody. */
const placeOf = ({ network, locality: { region, zone, subzone }, node = "" }: Instance): Place => ({
  ...(network !== undefined && { network }),
  ...{ region, zone, subzone, node },
});

/* Who has to say where it is */

type Services = Catalog["services"];

/** Those that ask; the same map as long as they are the same. It follows from one catalog to the next by what changed. */
const asking: (services: Services) => Services = createFilter(({ distribution }) => distribution !== undefined);

function createFilter(isMeant: (service: Service) => boolean): (services: Services) => Services {
  let last: Services = OrderedMap.of<ServiceKey, Service>();
  let meant = last;
  return (services) => {
    const changes = last.changesTo(services);
    meant = meant.with(changes.map(({ key, after }) => [key, after && isMeant(after) ? after : undefined] as const));
    last = services;
    return meant;
  };
}

/** What services that are visible in a namespace ask for. */
const levelsAsked = memoize((services: Services, namespace: string): readonly Level[] => {
  const asked = new Set(
    [...services.values()].flatMap((service) =>
      service.distribution !== undefined && isVisibleIn(service, namespace) ? levelsFor[service.distribution] : [],
    ),
  );
  return levels.filter((level) => asked.has(level));
});

/** Each way of asking, once. */
const waysOfAsking = memoize((services: Services): string => {
  const ways = [...services.values()].map(({ distribution, visibleIn }) => JSON.stringify([distribution, visibleIn]));
  return [...new Set(ways)].sort().join();
});

/** Do the services of two catalogs ask for the same? */
export const asksAlike = (before: Services, after: Services): boolean =>
  waysOfAsking(asking(before)) === waysOfAsking(asking(after));

/** The place of a proxy as far as somebody asks for it: as it says, else as the registries say of its workload. */
export function placeAsked(
  services: Services,
  { namespace, locality, network, nodeName }: ProxyNode,
  workload: () => Instance | undefined,
): Place | undefined {
  const asked = levelsAsked(asking(services), namespace);
  if (asked.length === 0) return undefined;
  const there = workload();
  const { region, zone, subzone } = isKnown(locality) ? locality : (there?.locality ?? locality);
  const all: Readonly<Record<Level, string>> = {
    network: network || (there?.network ?? ""),
    ...{ region, zone, subzone },
    node: nodeName || (there?.node ?? ""),
  };
  return Object.fromEntries(asked.map((level) => [level, all[level]]));
}

const isKnown = ({ region, zone, subzone }: ProxyNode["locality"]): boolean => region + zone + subzone !== "";
