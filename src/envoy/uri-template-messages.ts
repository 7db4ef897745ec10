import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TypedExtensionConfig } from "../gen/envoy/config/core/v3/extension_pb.ts";
import { UriTemplateMatchConfigSchema } from "../gen/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.ts";
import { UriTemplateRewriteConfigSchema } from "../gen/envoy/extensions/path/rewrite/uri_template/v3/uri_template_rewrite_pb.ts";

export type { TypedExtensionConfig as PathPolicy } from "../gen/envoy/config/core/v3/extension_pb.ts";

/** The template of a path match policy; undefined for a policy of another kind. */
export const matchTemplateOf = ({ typedConfig }: TypedExtensionConfig): string | undefined =>
  typedConfig && anyUnpack(typedConfig, UriTemplateMatchConfigSchema)?.pathTemplate;

/** The same of a path rewrite policy. */
export const rewriteTemplateOf = ({ typedConfig }: TypedExtensionConfig): string | undefined =>
  typedConfig && anyUnpack(typedConfig, UriTemplateRewriteConfigSchema)?.pathTemplateRewrite;
