import { expect, test } from "vitest";
import { isDeprecation, isWarning, parseEnvoyLogLine } from "../../src/app/envoy/log-line.ts";
import { parseEnvoyVersion, releaseLine } from "../../src/app/envoy/version.ts";

const head = "[2026-11-22 05:06:06.995][8591]";

test.each([
  {
    line: `${head}[info][main] [source/server/server.cc:1159] exiting`,
    parsed: { level: "info", logger: "main", text: "exiting" },
    warning: false,
    deprecation: false,
  },
  {
    line: `${head}[critical][main] [source/a.cc:76] error  initializing \\'goo.gle/debugonly  bad.json\\': one\\ntwo`,
    parsed: { level: "critical", logger: "main", text: "error initializing 'bad.json': one\ntwo" },
    warning: true,
    deprecation: false,
  },
  {
    line: `${head}[warning][misc] [source/v.cc:23] Deprecated field: type envoy.config.route.v3.RouteAction Using …`,
    parsed: {
      level: "warning",
      logger: "misc",
      text: "Deprecated field: type envoy.config.route.v3.RouteAction Using …",
    },
    warning: true,
    deprecation: true,
  },
  {
    line: `${head}[warning][main] [source/server/server.cc:1028] caught ENVOY_SIGTERM`,
    parsed: { level: "warning", logger: "main", text: "caught ENVOY_SIGTERM" },
    warning: false,
    deprecation: false,
  },
  {
    line: "envoy: error while loading shared libraries: libm.so.6",
    parsed: { level: "error", logger: "", text: "envoy: error while loading shared libraries: libm.so.6" },
    warning: true,
    deprecation: false,
  },
])("reads $line", ({ line, parsed, warning, deprecation }) => {
  const read = parseEnvoyLogLine(line);
  expect(read).toEqual(parsed);
  expect({ warning: isWarning(read), deprecation: isDeprecation(read) }).toEqual({ warning, deprecation });
});

test.each([
  ["\nenvoy  version: 9e55/1.40.0/Clean/RELEASE/BoringSSL\n\n", "1.40.0"],
  ["/usr/bin/envoy  version: 9e55/1.37.0-dev/Modified/DEBUG/BoringSSL", "1.37.0-dev"],
  ["some other tool, version: 3", undefined],
  ["", undefined],
])("reads the version in %j", (text, version) => {
  expect(parseEnvoyVersion(text)).toBe(version);
});

test("the release line is the first two numbers", () => {
  expect(["1.40.0", "1.36.4", "1.37.0-dev"].map(releaseLine)).toEqual(["1.40", "1.36", "1.37"]);
});
