import { MeshError } from "../base/errors.ts";
import { type HostPort, parseHostPort } from "../base/host-port.ts";
import { bootstrapFor, nodeIdOf } from "../envoy/bootstrap.ts";
import { isIpAddress } from "../model/ip-address.ts";
import type { Labels } from "../model/labels.ts";
import { parseLocality } from "../model/locality.ts";
import { defaultMeshSettings } from "../model/mesh-settings.ts";
import {
  type CliIo,
  type Command,
  type CommandInput,
  type ExitCode,
  type FlagValues,
  flagValue,
  flagValues,
} from "./command.ts";
import { writeJson } from "./output.ts";

export const bootstrapCommand: Command = {
  name: "bootstrap",
  summary: "print the Envoy bootstrap for a proxy",
  details: "The file with which a stock Envoy takes all its configuration from the control plane.",
  flags: [
    { flags: "--name <name>", summary: "the proxy's name", required: true },
    { flags: "--ip <address...>", summary: "the proxy's own addresses; the first one is its name's", required: true },
    { flags: "-n, --namespace <name>", summary: "the proxy's namespace", default: "default" },
    { flags: "--kind <kind>", summary: "what it is", choices: ["sidecar", "gateway"], default: "sidecar" },
    { flags: "--label <key=value...>", summary: "labels of the workload, for rules that select by them" },
    { flags: "--locality <region/zone/subzone>", summary: "where it runs" },
    { flags: "--node <name>", summary: "the node of its platform that it runs on" },
    { flags: "--service-account <name>", summary: "the workload's service account" },
    {
      flags: "--interception <mode>",
      summary: "how traffic gets into a sidecar; NONE: the application dials its listeners",
      choices: ["REDIRECT", "TPROXY", "NONE"],
      default: "REDIRECT",
    },
    { flags: "--domain <domain>", summary: "the mesh's domain", default: defaultMeshSettings.domain },
    { flags: "--xds <host:port>", summary: "where the control plane is", default: "127.0.0.1:15010" },
    { flags: "--variant <variant>", summary: "form of the protocol", choices: ["delta", "sotw"], default: "delta" },
    {
      flags: "--admin <host:port>",
      summary: "Envoy's admin interface; keep it on loopback",
      default: "127.0.0.1:15000",
    },
    { flags: "-o, --output <format>", summary: "how to print it", choices: ["json"], default: "json" },
  ],
  examples: [
    {
      line: "fairway bootstrap --name web-1 -n shop --ip 10.0.0.7 --label app=web version=v1 > web-1.json && envoy -c web-1.json",
      summary: "start a sidecar",
    },
    {
      line: "fairway bootstrap --kind gateway --name gw-1 -n shop --ip 10.0.0.9 --label istio=ingressgateway > gw-1.json",
      summary: "for a gateway",
    },
  ],
  run: bootstrap,
};

async function bootstrap({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const textOf = (name: string): string => flagValue(flags, name) ?? "";
  const problems: string[] = [];
  const name = checked(textOf("name"), isDnsName, "--name", "a DNS name", problems);
  const namespace = checked(
    textOf("namespace"),
    isDnsLabel,
    "--namespace",
    "a name of lower-case letters, digits and -",
    problems,
  );
  const domain = checked(textOf("domain"), isDnsName, "--domain", "a DNS name", problems);
  const ips = flagValues(flags, "ip").map((ip) => checked(ip, isIpAddress, "--ip", "an IP address", problems));
  const [ip = ""] = ips;
  const xds = addressOf("--xds", textOf("xds"), problems);
  const admin = addressOf("--admin", textOf("admin"), problems);
  const labels = labelsOf(flags, problems);
  if (problems.length > 0) {
    throw new MeshError("usage/invalid", problems.join("\n  "), { hint: "`fairway bootstrap --help` shows examples." });
  }
  const kind = textOf("kind") === "gateway" ? "gateway" : "sidecar";
  const serviceAccount = flagValue(flags, "serviceAccount");
  const locality = flagValue(flags, "locality");
  const nodeName = flagValue(flags, "node");
  const json = bootstrapFor({
    node: {
      id: nodeIdOf({ kind, ip, name, namespace, domain }),
      cluster: `${labels["app"] ?? name}.${namespace}`,
      ...(locality !== undefined && { locality: parseLocality(locality) }),
      metadata: {
        NAMESPACE: namespace,
        INSTANCE_IPS: ips.join(),
        LABELS: labels,
        INTERCEPTION_MODE: textOf("interception"),
        ...(serviceAccount !== undefined && { SERVICE_ACCOUNT: serviceAccount }),
        ...(nodeName !== undefined && { NODE_NAME: nodeName }),
      },
    },
    xds: { ...xds, variant: textOf("variant") === "sotw" ? "sotw" : "delta" },
    admin,
  });
  writeJson(io, json);
  return 0;
}

const isDnsLabel = (value: string): boolean => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value);
const isDnsName = (value: string): boolean => value.length <= 253 && value.split(".").every(isDnsLabel);

function checked(
  value: string,
  isValid: (value: string) => boolean,
  flag: string,
  expected: string,
  problems: string[],
): string {
  if (!isValid(value)) problems.push(`${flag}: expected ${expected}, found ${JSON.stringify(value)}`);
  return value;
}

function addressOf(flag: string, value: string, problems: string[]): HostPort {
  const address = parseHostPort(value);
  if (address === undefined) problems.push(`${flag}: expected HOST:PORT, found ${JSON.stringify(value)}`);
  return address ?? { host: "", port: 0 };
}

function labelsOf(flags: FlagValues, problems: string[]): Labels {
  const pairs = flagValues(flags, "label").map((label) => {
    const [, key, value] = /^([^=]+)=(.*)$/.exec(label) ?? [];
    if (key === undefined || value === undefined)
      problems.push(`--label: expected key=value, found ${JSON.stringify(label)}`);
    return [key ?? "", value ?? ""] as const;
  });
  return Object.fromEntries(pairs);
}
