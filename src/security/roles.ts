/** What a request does. */
export type Verb = "read" | "write" | "register" | "administer";

/** What a request does, and to what, so that a caller may one day be let at some of it only. */
export interface Action {
  /** `write`: rules, and what is believed of registries. `register`: services and instances. `administer`: tokens and the store. */
  readonly verb: Verb;
  /** The kind of rule, where it is about one. */
  readonly kind?: string;
  readonly namespace?: string;
}

/** Each role may what those before it may, and more. */
const verbsByRole = {
  viewer: ["read"],
  editor: ["read", "write", "register"],
  admin: ["read", "write", "register", "administer"],
} as const satisfies Record<string, readonly Verb[]>;

export type Role = keyof typeof verbsByRole;

/** The least one first. */
export const roles = Object.keys(verbsByRole) as readonly Role[];

/** Somebody whose requests are answered. */
export interface Caller {
  /** The name of the token. */
  readonly name: string;
  readonly role: Role;
  /** Absent for those who gave no token. */
  readonly tokenId?: string;
}

/** Why the caller may not do this, as whole sentences; undefined when it may. */
export function denialOf(caller: Caller, { verb }: Action): string | undefined {
  if (mayOf(caller.role, verb)) return undefined;
  const may = listed(verbsByRole[caller.role]);
  const needed = roles.find((role) => mayOf(role, verb));
  return caller.tokenId === undefined
    ? `Without a token one may ${may}; this needs a token of the role ${needed}.`
    : `The token ${caller.name} has the role ${caller.role}, which may ${may}; this needs ${needed}.`;
}

const mayOf = (role: Role, verb: Verb): boolean => (verbsByRole[role] as readonly Verb[]).includes(verb);

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
