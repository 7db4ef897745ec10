import { describe, expect, test } from "vitest";
import type { EventLine } from "../../src/app/dev/event-lines.ts";
import { createProgressLine } from "../../src/app/dev/progress-line.ts";
import { createScreen } from "../../src/app/dev/screen.ts";
import type { FetchProgress } from "../../src/app/envoy/wheel.ts";

const line = (verb: EventLine["verb"], text: string): EventLine => ({ verb, text });

function screen() {
  let text = "";
  const out = (more: string) => {
    text += more;
  };
  const now = () => new Date(2026, 10, 22, 9, 5, 7).getTime();
  return { ...createScreen({ out, now, env: {} }), text: () => text };
}

describe("the screen", () => {
  test("keeps what went wrong during the start for after the introduction", () => {
    const { tell, introduce, end, text } = screen();
    tell(line("connected", "web-v1"));
    tell(line("accepted", "web-v1 took routes 9080"));
    tell(line("finding", "reviews.yaml:1:1"));
    expect(text()).toBe("");
    introduce("Hello.\n");
    tell(line("accepted", "web-v1 took routes 9080"));
    end();
    tell(line("left", "web-v1"));
    introduce("Hello?\n");
    expect(text()).toBe(
      [
        "Hello.",
        "09:05:07  finding   reviews.yaml:1:1",
        "09:05:07  accepted  web-v1 took routes 9080",
        "",
        "Stopping …",
        "",
      ].join("\n"),
    );
  });

  test("tells what went wrong when there will be no introduction", () => {
    const { tell, end, text } = screen();
    tell(line("stopped", "Envoy gateway ended with status 1"));
    end();
    expect(text()).toBe("09:05:07  stopped   Envoy gateway ended with status 1\n\nStopping …\n");
  });
});

describe("the progress of a download", () => {
  const received = (receivedBytes: number, totalBytes?: number): FetchProgress => ({
    kind: "downloading",
    version: "1.40.0",
    receivedBytes,
    totalBytes,
  });
  const steps = [
    ...[received(0), received(1e6, 37e6), received(2e6, 37e6), received(12e6, 37e6), received(37e6, 37e6)],
    { kind: "unpacking", version: "1.40.0" } as const,
  ];

  const shown = (terminal: object) => {
    let text = "";
    const err = (more: string) => {
      text += more;
    };
    const progress = createProgressLine({ err, ...terminal });
    for (const step of steps) progress.show(step);
    progress.end();
    progress.end();
    return text;
  };

  test("is one line that changes at a terminal", () => {
    const begin = "\r\u001b[K";
    expect(shown({ terminal: { columns: 80 } })).toBe(
      [
        `${begin}downloading Envoy 1.40.0: 0 MB`,
        `${begin}downloading Envoy 1.40.0: 1 of 37 MB`,
        `${begin}downloading Envoy 1.40.0: 2 of 37 MB`,
        `${begin}downloading Envoy 1.40.0: 12 of 37 MB`,
        `${begin}downloading Envoy 1.40.0: 37 of 37 MB`,
        `${begin}unpacking Envoy 1.40.0\n`,
      ].join(""),
    );
  });

  test("is a few lines elsewhere", () => {
    expect(shown({})).toBe(
      [
        "downloading Envoy 1.40.0: 0 MB",
        "downloading Envoy 1.40.0: 1 of 37 MB",
        "downloading Envoy 1.40.0: 12 of 37 MB",
        "downloading Envoy 1.40.0: 37 of 37 MB",
        "unpacking Envoy 1.40.0",
        "",
      ].join("\n"),
    );
  });
});
