import { asCharacters } from "../envoy/string-matcher.ts";
import type { RoutedRequest } from "./explanation.ts";
import type { Facts } from "./request.ts";

export const routedRequest = ({ request: { method }, scheme, authority, path }: Facts): RoutedRequest => ({
  ...{ method, scheme, authority: asCharacters(authority) },
  ...(path !== undefined && { path: asCharacters(path) }),
});
