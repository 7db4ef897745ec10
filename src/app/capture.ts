import { type FamilyOutcome, isIpv6Off, setCapture } from "../agent/capture.ts";
import { planFor } from "../agent/capture-plan.ts";
import { planText, planView } from "../agent/capture-text.ts";
import { runCommand } from "../agent/run-command.ts";
import { MeshError } from "../base/errors.ts";
import { type CliIo, type CommandInput, type ExitCode, isSet } from "../cli/command.ts";
import { wantsJson, writeJson } from "../cli/output.ts";
import { readCaptureOptions } from "./read-capture-options.ts";

/** `fairway agent capture`. */
export async function capture({ flags }: CommandInput, io: CliIo): Promise<ExitCode> {
  const options = readCaptureOptions(flags);
  const remove = isSet(flags, "remove");
  if (remove && isSet(flags, "dryRun")) {
    throw new MeshError("usage/invalid", "--remove and --dry-run do not go together", {
      hint: "What --remove takes away are the chains FAIRWAY_… that `iptables-save` shows, and what leads there.",
    });
  }
  const plans = remove ? [] : options.families.map((family) => planFor(options, family));
  if (isSet(flags, "dryRun")) {
    if (wantsJson(flags)) writeJson(io, { families: plans.map(planView) });
    else io.out(plans.map(planText).join("\n"));
    return 0;
  }
  const outcomes = await setCapture({ run: runCommand, isIpv6Off }, plans);
  if (wantsJson(flags)) writeJson(io, { ...(remove ? {} : { mode: options.mode }), families: outcomes });
  else io.out(outcomes.map(outcomeLine).join(""));
  return 0;
}

function outcomeLine({ family, captured, changed }: FamilyOutcome): string {
  if (captured) return `${family}: captured${changed ? "" : ", as before"}\n`;
  return `${family}: ${changed ? "no longer captured" : "not captured, as before"}\n`;
}
