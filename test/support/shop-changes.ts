import fc from "fast-check";
import {
  firstShop,
  type ServiceName,
  type Shop,
  type ShopService,
  serviceNames,
  type Version,
  versions,
} from "./shop-worlds.ts";

/** From one shop to another; the way back is a change too. */
export interface ShopChange {
  readonly title: string;
  readonly from: Shop;
  readonly to: Shop;
}

/** Numbers that decide: each is used for one choice, by its remainder. */
type Choices = readonly number[];

interface Edit {
  readonly title: string;
  readonly apply: (shop: Shop) => Shop;
}

const pick = <T>(list: readonly [T, ...T[]], number: number): T => list[number % list.length] ?? list[0];

const withService = (shop: Shop, name: ServiceName, change: (service: ShopService) => ShopService): Shop => {
  const service = shop.services[name];
  return service === undefined ? shop : { ...shop, services: { ...shop.services, [name]: change(service) } };
};

const toggled = <T>(list: readonly T[], item: T): readonly T[] =>
  list.includes(item) ? list.filter((one) => one !== item) : [...list, item].sort();

/** Kinds of edits: each makes one out of the shop as it is and three choices. */
const kinds: readonly ((service: ServiceName, choices: Choices) => Edit)[] = [
  (name, [n = 0]) => {
    const version: Version = pick(versions, n);
    return {
      title: `${name}: subset ${version} and the route to it`,
      apply: (shop) =>
        withService(shop, name, (service) => {
          const subsets = toggled(service.subsets, version);
          const kept = subsets.length === 0 ? [pick(versions, n + 1)] : subsets;
          return { ...service, subsets: kept, routed: kept };
        }),
    };
  },
  (name, [n = 0]) => {
    const version: Version = pick(versions, n);
    return {
      title: `${name}: everything to subset ${version}, the other subsets go`,
      apply: (shop) => withService(shop, name, (service) => ({ ...service, subsets: [version], routed: [version] })),
    };
  },
  (name, [n = 0]) => ({
    title: `${name}: another load balancer`,
    apply: (shop) =>
      withService(shop, name, (service) => ({
        ...service,
        balancer: pick(
          (["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"] as const).filter((one) => one !== service.balancer) as [
            "ROUND_ROBIN",
          ],
          n,
        ),
      })),
  }),
  (name, [n = 0, m = 0]) => {
    const version: Version = pick(versions, n);
    return {
      title: `${name}: other copies of ${version}`,
      apply: (shop) =>
        withService(shop, name, (service) => {
          const others = ([[0], [1], [0, 1]] as const).filter((one) => `${one}` !== `${service.copies[version]}`);
          return { ...service, copies: { ...service.copies, [version]: others[m % others.length] ?? [0] } };
        }),
    };
  },
  () => ({ title: "the second port", apply: (shop) => ({ ...shop, second: !shop.second }) }),
  (_, [n = 0]) => ({
    title: "the service users",
    apply: (shop) => {
      const { users, ...rest } = shop.services;
      const copyOf = rest.cart ?? firstShop.services.items;
      const added =
        copyOf === undefined ? {} : { users: n % 2 === 0 ? copyOf : { ...copyOf, balancer: "RANDOM" as const } };
      return { ...shop, services: users === undefined ? { ...rest, ...added } : rest };
    },
  }),
  (_, [n = 0]) => ({
    title: "the connect timeout of every cluster",
    apply: (shop) => ({ ...shop, connectTimeoutMs: shop.connectTimeoutMs + 1_000 + (n % 1_000) }),
  }),
];

/** Every kind alone before the same again: what is short still has all of them. After each round, several in one. */
function editsOf(index: number, choices: readonly Choices[]): readonly Edit[] {
  const round = kinds.length + 3;
  const count = index % round < kinds.length ? 1 : 2 + (index % 2);
  return choices.slice(0, count).flatMap(([kind = 0, service = 0, ...rest]) => {
    const make = kinds[count === 1 ? index % round : kind % kinds.length];
    return make === undefined ? [] : [make(pick(serviceNames, service), rest)];
  });
}

const same = (a: Shop, b: Shop): boolean => JSON.stringify(a) === JSON.stringify(b);

/** `count` changes, each from where the one before it leads; the same ones for the same seed. The first is of kind `start`. */
export function shopChanges(
  count: number,
  { seed, start }: { readonly seed: number; readonly start: number },
): readonly ShopChange[] {
  const number = fc.nat({ max: 1_000_000 });
  const choices = fc.array(fc.array(number, { minLength: 5, maxLength: 5 }), { minLength: 3, maxLength: 3 });
  const changes: ShopChange[] = [];
  let shop = firstShop;
  for (const chosen of fc.sample(choices, { seed, numRuns: count * 8 })) {
    if (changes.length === count) break;
    const edits = editsOf(start + changes.length, chosen);
    const to = edits.reduce((before, { apply }) => apply(before), shop);
    if (same(shop, to)) continue;
    changes.push({ title: `${edits.map(({ title }) => title).join("; ")}`, from: shop, to });
    shop = to;
  }
  if (changes.length < count) throw new Error(`only ${changes.length} changes out of seed ${seed}`);
  return changes;
}
