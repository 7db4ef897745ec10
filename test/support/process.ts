import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";

/** Whether a process is there and not only its entry, which an orphan's new parent has yet to collect. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Whether somebody listens at `host:port`. */
export async function isOpen(address: string): Promise<boolean> {
  const colon = address.lastIndexOf(":");
  const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon));
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
