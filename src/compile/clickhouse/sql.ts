/** A text literal of ClickHouse, where a backslash escapes. */
export const clickText = (text: string): string =>
    `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** An identifier of ClickHouse. */
export const clickName = (name: string): string =>
    `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** A list of texts as it stands behind `in`. */
export const clickList = (texts: readonly string[]): string =>
    `(${texts.map(clickText).join(', ')})`;

/** Nested cases that find the last boundary at or before an instant, in microseconds. */
export function segmentClickSql(boundaries: readonly bigint[], before: bigint): string {
    if (boundaries.length === 0) return `toInt64(${before})`;
    const middle = Math.floor(boundaries.length / 2);
    const at = boundaries[middle] ?? before;
    const left = segmentClickSql(boundaries.slice(0, middle), before);
    const right = segmentClickSql(boundaries.slice(middle + 1), at);
    return `if(event_us < ${at}, ${left}, ${right})`;
}
