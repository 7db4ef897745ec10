import type { JudgedAim } from "./aims.ts";
import { ratioText } from "./units.ts";

/* Ratios as bars, on a logarithmic scale; readable on light and on dark ground. */

const layout = { label: 300, bar: 360, row: 26, top: 56, value: 70 } as const;
const width = layout.label + layout.bar + layout.value;

/** The ratios among the aims, as an SVG. */
export function picture(aims: readonly JudgedAim[]): string {
  const rows = aims.filter(({ kind }) => kind === "ratio");
  const most = Math.max(10, ...rows.map(({ found }) => (Number.isFinite(found) ? found : 0)));
  const decades = Math.ceil(Math.log10(most));
  /** A tenth of the bars' room is for ratios below 1. */
  const x = (ratio: number): number => {
    const log = Math.min(decades, Math.max(-decades / 9, Math.log10(ratio)));
    return layout.label + (layout.bar * (log + decades / 9)) / (decades + decades / 9);
  };
  const height = layout.top + rows.length * layout.row + 16;
  const peers = [...new Set(rows.flatMap(({ peer }) => peer ?? []))].join(", ");
  const grid = Array.from({ length: decades + 1 }, (_, power) => 10 ** power).map(
    (ratio) =>
      `<line class="${ratio === 1 ? "one" : "grid"}" x1="${round(x(ratio))}" x2="${round(x(ratio))}" y1="${layout.top - 8}" y2="${height - 12}"/>` +
      `<text class="soft" x="${round(x(ratio))}" y="${layout.top - 14}" text-anchor="middle">${ratio} x</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="How many times better than ${escaped(peers)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2430 }
.soft { fill: #667085; font-size: 11px }
.grid { stroke: #d0d5dd } .one { stroke: #667085 }
.good { fill: #2f7d5b } .less { fill: #b4552d }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9f0 } .soft { fill: #98a2b3 } .grid { stroke: #3a4252 } .one { stroke: #98a2b3 }
  .good { fill: #55b98c } .less { fill: #e08a5f }
}
</style>
<text x="0" y="18">${escaped(peers)} / fairway: right of the line fairway is better</text>
${[...grid, ...rows.map((row, index) => barOf(row, index, x))].join("\n")}
</svg>
`;
}

function barOf({ what, found }: JudgedAim, index: number, x: (ratio: number) => number): string {
  const y = layout.top + index * layout.row;
  const [from, to] = [Math.min(x(1), x(found)), Math.max(x(1), x(found))];
  return [
    `<text x="0" y="${y + 14}">${escaped(what)}</text>`,
    `<rect class="${found >= 1 ? "good" : "less"}" x="${round(from)}" y="${y + 3}" width="${round(Math.max(1, to - from))}" height="15" rx="2"/>`,
    `<text x="${round(to + 6)}" y="${y + 15}">${ratioText(found)}</text>`,
  ].join("\n");
}

const round = (value: number): number => Math.round(10 * value) / 10;

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
