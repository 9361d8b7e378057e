/** Microseconds since 1970-01-01T00:00:00Z: what a TIMESTAMP of the engine holds. */
export type Instant = bigint;

/** After every instant there is: the end of what is open. */
export const forever: Instant = 1n << 62n;

const rfc3339 =
    /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6})0*)?([Zz]|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/**
 * Reads RFC 3339 text with a zone, to the microsecond.
 * @throws RangeError when there is no zone, no such day, or more precision than a microsecond.
 */
export function parseInstant(text: string): Instant {
    const match = rfc3339.exec(text);
    if (!match) throw new RangeError(`not an instant with a zone: ${text}`);
    const [, day = '', time = '', fraction = '', zone = ''] = match;
    const utc = Date.parse(`${day}T${time}Z`);
    // Date.parse takes 2026-02-30 for 2 March: written back it must be the same.
    if (Number.isNaN(utc) || new Date(utc).toISOString().slice(0, 19) !== `${day}T${time}`) {
        throw new RangeError(`no such instant: ${text}`);
    }
    return BigInt(utc) * 1000n + BigInt(fraction.padEnd(6, '0')) - offset(zone);
}

function offset(zone: string): bigint {
    if (zone === 'Z' || zone === 'z') return 0n;
    const minutes = BigInt(zone.slice(1, 3)) * 60n + BigInt(zone.slice(4, 6));
    return minutes * 60_000_000n * (zone.startsWith('-') ? -1n : 1n);
}

/** ISO text in UTC ending in Z, with as many decimals as are needed. */
export function formatInstant(instant: Instant): string {
    const micros = ((instant % 1_000_000n) + 1_000_000n) % 1_000_000n;
    const seconds = (instant - micros) / 1000n;
    const text = new Date(Number.parseInt(seconds.toString(), 10)).toISOString().slice(0, 19);
    const fraction = micros.toString().padStart(6, '0').replace(/0+$/, '');
    return `${text}${fraction ? `.${fraction}` : ''}Z`;
}

/** An instant of a JavaScript Date, to the millisecond. */
export function fromDate(date: Date): Instant {
    return BigInt(date.getTime()) * 1000n;
}
