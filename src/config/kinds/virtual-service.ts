/** How a text is compared. A prefix is a plain prefix of characters; a regular expression (RE2) must match the whole. */
export type StringMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly value: string }
  /** Any value, as long as there is one: an empty match, or the regular expression `*`. Headers only. */
  | { readonly kind: "present" };

/** All conditions must hold; a match without conditions holds always. */
export interface HttpMatch {
  readonly name?: string;
  readonly uri?: Exclude<StringMatch, { readonly kind: "present" }>;
  readonly method?: Exclude<StringMatch, { readonly kind: "present" }>;
  /** By lower-case header name, in the order of the document. */
  readonly headers: Readonly<Record<string, StringMatch>>;
}

export interface HttpDestination {
  /** As written: a short name, a full name or a wildcard-free host. */
  readonly host: string;
  readonly subset?: string;
  /** Port of the service. */
  readonly port?: number;
  /** Share of the traffic, 0 to 2^31-1, relative to the sum of its route. */
  readonly weight: number;
}

export interface HttpRoute {
  readonly name?: string;
  /** Any one of them must hold; none at all holds always. */
  readonly match: readonly HttpMatch[];
  /** At least one. Indexes are those of the document. */
  readonly route: readonly HttpDestination[];
}

/** A VirtualService (`networking.istio.io`): where requests to some hosts go. */
export interface VirtualServiceSpec {
  /** As written, at least one. */
  readonly hosts: readonly string[];
  /** `mesh` or gateways as written (`name`, `namespace/name`, `./name`); `["mesh"]` when the document has none. */
  readonly gateways: readonly string[];
  readonly http: readonly HttpRoute[];
}
