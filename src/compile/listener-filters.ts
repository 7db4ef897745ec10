import { create, type DescMessage } from "@bufbuild/protobuf";
import { packAny } from "../envoy/pack.ts";
import {
  type ListenerFilter,
  type ListenerFilterChainMatchPredicate,
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
} from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
import { HttpInspectorSchema } from "../gen/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.ts";
import { OriginalDstSchema } from "../gen/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.ts";
import { OriginalSrcSchema } from "../gen/envoy/extensions/filters/listener/original_src/v3/original_src_pb.ts";
import { TlsInspectorSchema } from "../gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts";

/* What looks at a connection before a filter chain is chosen. Envoy adds none of these by itself. */

const filter = <D extends DescMessage>(name: string, schema: D, config = create(schema)): ListenerFilter =>
  create(ListenerFilterSchema, {
    name: `envoy.filters.listener.${name}`,
    configType: { case: "typedConfig", value: packAny(schema, config) },
  });

/** Finds out where the client of a captured connection wanted to go. */
export const originalDestination = (): ListenerFilter => filter("original_dst", OriginalDstSchema);

/** Packets to the application carry it, by which the kernel leads its answers back (`fairway agent capture --mark`). */
const captureMark = 1337;

/** The application sees its client's address. */
export const originalSource = (): ListenerFilter =>
  filter("original_src", OriginalSrcSchema, create(OriginalSrcSchema, { mark: captureMark }));

/** Finds out the server name that a TLS client asks for. */
export const tlsInspector = (): ListenerFilter => filter("tls_inspector", TlsInspectorSchema);

/** Finds out whether a connection begins as HTTP does. It waits for the client's first bytes. */
export const httpInspector = (): ListenerFilter => filter("http_inspector", HttpInspectorSchema);

/** The same for connections to some ports alone: nobody else is made to wait. */
export function httpInspectorAt(ports: readonly number[]): ListenerFilter {
  const [only, ...others] = ports.map(atPort);
  const anyOfThem =
    only !== undefined && others.length === 0
      ? only
      : predicate({ case: "orMatch", value: { rules: ports.map(atPort) } });
  return { ...httpInspector(), filterDisabled: predicate({ case: "notMatch", value: anyOfThem }) };
}

const atPort = (port: number): ListenerFilterChainMatchPredicate =>
  predicate({ case: "destinationPortRange", value: { start: port, end: port + 1 } });

type Rule = NonNullable<Parameters<typeof create<typeof ListenerFilterChainMatchPredicateSchema>>[1]>["rule"];

const predicate = (rule: NonNullable<Rule>): ListenerFilterChainMatchPredicate =>
  create(ListenerFilterChainMatchPredicateSchema, { rule });
