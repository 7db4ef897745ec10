import { declareValuePlugin, PluginKind } from "@stryker-mutator/api/plugin";

/** Texts for people, told by their blanks: their words are nothing that a test of a machine should hold. */
const texts = {
  shouldIgnore({ node }) {
    const parts = { StringLiteral: [node.value], TemplateLiteral: node.quasis?.map(({ value }) => value.raw) }[
      node.type
    ];
    return parts?.some((part) => part.includes(" ")) ? "a text for people" : undefined;
  },
};

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, "texts", texts)];
