import { execFile } from "node:child_process";
import { MeshError } from "../base/errors.ts";

/**
 * Runs a command of the system and gives its standard output. Rejects with `capture/unavailable` when nothing can be done with it here (it is
 * missing, not allowed, not known to the kernel), else with `capture/failed`.
 */
export type RunCommand = (command: string, args: readonly string[], input?: string) => Promise<string>;

const timeoutMs = 20_000;
const maxOutputBytes = 64 * 1024 * 1024;

export const runCommand: RunCommand = (command, args, input = "") =>
  new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { timeout: timeoutMs, maxBuffer: maxOutputBytes },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(commandError([command, ...args].join(" "), error, stderr));
      },
    );
    // A command that does not read to its end says itself why.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });

interface Known {
  readonly pattern: RegExp;
  readonly message: string;
  readonly hint: string;
}

/** What the reader can do something about, by what the command says. */
const known: readonly Known[] = [
  {
    pattern: /permission denied|operation not permitted|must be root/i,
    message: "is not allowed",
    hint: "Run it as root, or with the capabilities NET_ADMIN and NET_RAW.",
  },
  {
    pattern:
      /table does not exist|no chain\/target\/match|extension .* not supported|couldn't load (target|match)|protocol not supported|address family not supported|can't initialize|missing kernel module|failed \(No such file or directory\)/i,
    message: "needs a part of the kernel that is not there",
    hint: "Load its modules on the host (`modprobe iptable_nat ip6table_nat xt_REDIRECT xt_owner xt_addrtype xt_TPROXY xt_connmark`); without IPv6, use --families ipv4.",
  },
];

export function commandError(
  line: string,
  { code, killed }: { readonly code?: string | number | null | undefined; readonly killed?: boolean | undefined },
  stderr: string,
): MeshError {
  const [command = ""] = line.split(" ");
  if (code === "ENOENT") {
    return new MeshError("capture/unavailable", `there is no command \`${command}\``, {
      hint: "Install iptables and iproute2, or add their folder (/usr/sbin) to the PATH.",
    });
  }
  const said = stderr.trim();
  if (killed) {
    return new MeshError("capture/failed", `\`${line}\` did not end within ${timeoutMs / 1000} s`, {
      hint: "Another program may hold the lock of the tables.",
    });
  }
  const reason = known.find(({ pattern }) => pattern.test(said));
  if (reason !== undefined) {
    return new MeshError("capture/unavailable", `\`${line}\` ${reason.message}: ${said}`, { hint: reason.hint });
  }
  return new MeshError("capture/failed", `\`${line}\` failed: ${said === "" ? `status ${code}` : said}`);
}
