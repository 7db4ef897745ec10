import { anything, type Decoder, mapOf, mapped, text } from "../base/decode.ts";
import { object, required, withDefault } from "../base/decode-object.ts";
import type { NodeIdentity } from "./proxy.ts";

const word = text({ minLength: 0 });

/** Envoy takes both spellings of a field: `sub_zone`, `subZone`. */
function inCamelCase<T>(decoder: Decoder<T>): Decoder<T> {
  const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return (value, site) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? decoder(Object.fromEntries(Object.entries(value).map(([name, item]) => [camelCase(name), item])), site)
      : decoder(value, site);
}

const locality = inCamelCase(
  object(
    { region: withDefault(word, ""), zone: withDefault(word, ""), subZone: withDefault(word, "") },
    { open: true },
  ),
);

const fields = inCamelCase(
  object(
    {
      id: required(text()),
      metadata: withDefault(mapOf(anything), {}),
      locality: withDefault(locality, { region: "", zone: "", subZone: "" }),
      userAgentName: withDefault(word, "envoy"),
      userAgentVersion: withDefault(word, ""),
    },
    { open: true },
  ),
);

/** Reads a node as an Envoy's bootstrap has it; its other fields are the Envoy's own matter. */
export const envoyNode: Decoder<NodeIdentity> = mapped(
  fields,
  ({ id, metadata, locality: { region, zone, subZone }, userAgentName, userAgentVersion }) => ({
    ...{ id, metadata },
    locality: { region, zone, subzone: subZone },
    client: { name: userAgentName, version: userAgentVersion },
  }),
);
