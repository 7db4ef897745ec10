import type { PlacedOrigin } from "../explain/places.ts";
import type { Line } from "./labelled-lines.ts";
import type { Style } from "./style.ts";
import { visibleText } from "./terminal-text.ts";

/** Rules with their place in a file, and what else is behind it. */
export const originLines = (origins: readonly PlacedOrigin[], style: Style): readonly Line[] =>
  origins.map((origin) => ["", style("quiet", originText(origin))]);

function originText(origin: PlacedOrigin): string {
  switch (origin.kind) {
    case "rule": {
      const place = [origin.file, origin.line, origin.column].filter((part) => part !== undefined).join(":");
      return visibleText([place, origin.rule, origin.pointer].filter((part) => part !== "").join("  "));
    }
    case "registry":
      return visibleText(`registry ${origin.registry}: ${origin.service}`);
    case "setting":
      return `default: ${origin.name}`;
    case "repair":
      return `put in by Fairway: ${visibleText(origin.reason)}`;
  }
}

/** Each once, as far as people see it. */
export const distinctOrigins = (origins: readonly PlacedOrigin[]): readonly PlacedOrigin[] => [
  ...new Map(origins.map((origin) => [originText(origin), origin])).values(),
];
