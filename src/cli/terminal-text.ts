/**
 * Text from elsewhere (rules, servers, proxies) as it may be shown at a terminal: control characters, which could move
 * the cursor or change colours, become visible ones. Tabs and line ends become a space.
 */
export function visibleText(text: string): string {
  return text
    .replace(/ *[\t\n\r]+ */g, " ")
    .replace(/[\p{Cc}\p{Bidi_Control}]/gu, (c) => (c < " " ? String.fromCodePoint(0x2400 + c.charCodeAt(0)) : "�"));
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** How many columns a text takes that holds no control characters. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (!/\p{Mark}|\p{Format}/u.test(character)) width += wide.test(character) ? 2 : 1;
  }
  return width;
}

export const padEnd = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - displayWidth(text)));

/** Lines of at most this many columns, broken between words; a word that is longer has a line of its own. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    const joined = `${last} ${word}`;
    if (last !== undefined && displayWidth(joined) <= width) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}
