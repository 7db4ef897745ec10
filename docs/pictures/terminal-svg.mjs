// Turns what a program printed at a terminal (text with colour codes) into a picture. The same text gives the same picture.

const cell = { width: 8.4, height: 19 };
const fontSize = 14;
const margin = { x: 18, top: 46, bottom: 16 };

const colours = { 31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 36: "#79c0ff" };
const paper = "#0d1117";
const ink = "#e6edf3";
const quietInk = "#8b949e";

/** Pieces of one line: `{ text, column, style }`, without the gaps. The state of the codes goes on from line to line. */
function pieces(line, state) {
  const found = [];
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colours are made of
  for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const code = /^\u001b\[(\d*)m$/.exec(part);
    if (code) change(state, Number(code[1]));
    else if (part !== "") {
      for (const words of part.matchAll(/\S+(?: \S+)*/g)) {
        found.push({ text: words[0], column: column + [...part.slice(0, words.index)].length, style: styleOf(state) });
      }
      column += [...part].length;
    }
  }
  return found;
}

function change(state, code) {
  if (code === 1) state.bold = true;
  else if (code === 2) state.quiet = true;
  else if (code === 22) state.bold = state.quiet = false;
  else if (code === 39) state.colour = undefined;
  else if (code === 0) Object.assign(state, { bold: false, quiet: false, colour: undefined });
  else if (colours[code]) state.colour = colours[code];
}

function styleOf({ bold, quiet, colour }) {
  const fill = colour ?? (quiet ? quietInk : undefined);
  return `${fill ? ` fill="${fill}"` : ""}${bold ? ' font-weight="bold"' : ""}`;
}

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** Every piece stands at its own column, so that another font moves nothing. */
export function terminalSvg(text, { title, label }) {
  const state = {};
  const lines = text.replace(/\n+$/, "").split("\n");
  const plain = lines.map((line) => pieces(line, state));
  const columns = Math.max(...plain.flat().map((piece) => piece.column + [...piece.text].length));
  const width = Math.ceil(columns * cell.width + 2 * margin.x);
  const height = Math.ceil(lines.length * cell.height + margin.top + margin.bottom);
  const rows = plain.flatMap((row, index) =>
    row.map(({ text: words, column, style }) => {
      const x = (margin.x + column * cell.width).toFixed(1);
      const y = margin.top + (index + 1) * cell.height - 5;
      const length = ([...words].length * cell.width).toFixed(1);
      return `<text x="${x}" y="${y}" textLength="${length}"${style}>${escaped(words)}</text>`;
    }),
  );
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map(
    (fill, index) => `<circle cx="${22 + index * 20}" cy="20" r="6" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}">
<rect width="${width}" height="${height}" rx="10" fill="${paper}"/>
${dots.join("")}
<g font-family="ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${fontSize}" fill="${ink}">
<text x="${width / 2}" y="25" text-anchor="middle" fill="${quietInk}">${escaped(title)}</text>
${rows.join("\n")}
</g>
</svg>
`;
}
