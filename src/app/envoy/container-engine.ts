import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { MeshError } from "../../base/errors.ts";
import { executableOnPath } from "./executable.ts";

/** A program that builds images and runs containers, and the flags that it needs here. */
export interface ContainerEngine {
  readonly command: string;
  readonly name: "docker" | "podman";
  /** Between the command and `run` or `build`. */
  readonly globalFlags: readonly string[];
  readonly runFlags: readonly string[];
  readonly buildFlags: readonly string[];
}

interface EngineRow {
  readonly name: ContainerEngine["name"];
  /** Succeeds only when the engine works: the program alone may be a client without one. */
  readonly probe: readonly string[];
  readonly flags: (env: NodeJS.ProcessEnv) => Pick<ContainerEngine, "globalFlags" | "runFlags" | "buildFlags">;
}

const engines: readonly EngineRow[] = [
  {
    name: "docker",
    probe: ["version", "--format", "{{.Server.Version}}"],
    flags: () => ({ globalFlags: [], runFlags: [], buildFlags: [] }),
  },
  {
    name: "podman",
    probe: ["version", "--format", "{{.Version}}"],
    // Also for machines without systemd, with hybrid cgroups (where crun fails) and low hard limits.
    flags: (env) => ({
      globalFlags: ["--cgroup-manager=cgroupfs"],
      runFlags: [
        ...(executableOnPath("runc", env["PATH"]) ? ["--runtime=runc"] : []),
        ...["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"],
      ],
      buildFlags: ["--isolation=chroot"],
    }),
  },
];

const probeTimeoutMs = 20_000;

/** Docker where its engine runs, else podman. Throws `envoy/not-found` when neither works. */
export async function findContainerEngine(env: NodeJS.ProcessEnv): Promise<ContainerEngine> {
  const reasons: string[] = [];
  for (const { name, probe, flags } of engines) {
    const command = executableOnPath(name, env["PATH"]);
    if (command === undefined) {
      reasons.push(`no ${name} is on the PATH`);
      continue;
    }
    try {
      await promisify(execFile)(command, probe, { timeout: probeTimeoutMs, env });
      return { command, name, ...flags(env) };
    } catch (cause) {
      const { stderr = "" } = cause as { readonly stderr?: string };
      reasons.push(`${name} does not work: ${stderr.trim().split("\n").at(-1)?.slice(0, 200) ?? ""}`);
    }
  }
  throw new MeshError("envoy/not-found", `no container engine found: ${reasons.join("; ")}`, {
    hint: "Install podman (with runc) or start Docker, or unset FAIRWAY_ENVOY to run Envoy as a process.",
  });
}
