import { isUtf8 } from 'node:buffer';
import { RunError } from '../errors/index.ts';

/** Which object something is said of. */
export interface ObjectPlace {
    readonly store: string;
    readonly key: string;
}

export const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;
// The engine reads NDJSON as one column split at 0x01, and stops at a bare carriage return. Both
// become a byte that no JSON text may hold: the row stays malformed and goes to suspense.
const columnSeparator = 0x01;
const illegalInJson = 0x02;

type TextProblem = 'nul' | 'return' | 'long';

/** The end of what is in the buffer now, and why it went no further. */
interface Copied {
    readonly written: number;
    readonly problem: TextProblem | null;
}

/**
 * Turns chunks of bytes into UTF-8 lines that end in LF. Works on bytes alone, one pass, into one
 * buffer: no string is made of any line. A line of a CSV is a record: its quoted cells may hold
 * line ends, and an empty one is written as an empty cell, which the engine would skip otherwise.
 */
export class TextLines {
    /** Lines seen so far; after `end`, all of them. */
    count = 0;
    readonly #at: ObjectPlace;
    readonly #limit: number;
    readonly #isMasked: boolean;
    #buffer = Buffer.alloc(0);
    /** The first bytes of a character whose rest is in the next chunk. */
    #tail = Buffer.alloc(0);
    #lineBytes = 0;
    /** The last byte was a carriage return that has not been written yet. */
    #isReturned = false;
    /** Inside a quoted cell of a CSV, where a line end ends nothing. */
    #isQuoted = false;

    constructor(at: ObjectPlace, format: 'ndjson' | 'csv', lineBytesLimit: number) {
        this.#at = at;
        this.#limit = lineBytesLimit;
        this.#isMasked = format === 'ndjson';
    }

    /** Gives what is ready to be written, valid until the next call, and why there is no more. */
    push(chunk: Buffer): { ready: Buffer; error: RunError | null } {
        const room = this.#tail.length + chunk.length * (this.#isMasked ? 1 : 3) + 1;
        if (this.#buffer.length < room) this.#buffer = Buffer.allocUnsafe(room);
        const linesBefore = this.count;
        const { written, problem } = this.#takeWhole(chunk) ?? this.#copyBytes(chunk);
        const end = written - unfinishedBytes(this.#buffer, written);
        const ready = this.#buffer.subarray(0, end);
        // What comes first in the bytes is reported, however they were cut into chunks.
        if (!isUtf8(ready)) {
            const { lines, offset } = soundLines(ready);
            const error = this.#notText(linesBefore + lines + 1, 'invalid UTF-8');
            return { ready: ready.subarray(0, offset), error };
        }
        this.#tail = Buffer.from(this.#buffer.subarray(end, written));
        return { ready, error: problem && this.#refused(problem) };
    }

    /** The last line counts without an LF, and is given one. */
    end(): Buffer {
        if (this.#tail.length > 0) throw this.#notText(this.count + 1, 'invalid UTF-8');
        if (this.#isQuoted) throw this.#openQuote();
        if (this.#lineBytes === 0 && !this.#isReturned) return Buffer.alloc(0);
        this.count += 1;
        const isEmptyRecord = this.#lineBytes === 0 && !this.#isMasked && this.count > 1;
        return Buffer.from(isEmptyRecord ? [quote, quote, lineFeed] : [lineFeed]);
    }

    /** Copies a chunk in which no byte needs attention, which is nearly every one: much faster. */
    #takeWhole(chunk: Buffer): Copied | null {
        if (this.#isReturned || chunk.includes(carriageReturn) || chunk.includes(0)) return null;
        if (this.#isMasked ? chunk.includes(columnSeparator) : this.#isQuotedOrEmpty(chunk)) {
            return null;
        }
        let { count } = this;
        let lineBytes = this.#lineBytes;
        let from = 0;
        for (;;) {
            const end = chunk.indexOf(lineFeed, from);
            lineBytes += (end < 0 ? chunk.length : end) - from;
            if (lineBytes > this.#limit) return null;
            if (end < 0) break;
            count += 1;
            lineBytes = 0;
            from = end + 1;
        }
        this.count = count;
        this.#lineBytes = lineBytes;
        const kept = this.#tail.copy(this.#buffer);
        return { written: kept + chunk.copy(this.#buffer, kept), problem: null };
    }

    /** Whether a chunk of a CSV has quotes or empty lines in it. */
    #isQuotedOrEmpty(chunk: Buffer): boolean {
        if (this.#isQuoted || chunk.includes(quote) || chunk.includes('\n\n')) return true;
        return chunk[0] === lineFeed && this.#lineBytes === 0;
    }

    /** Copies a chunk, normalised, up to the first byte that cannot be. */
    #copyBytes(chunk: Buffer): Copied {
        const buffer = this.#buffer;
        const limit = this.#limit;
        let written = this.#tail.copy(buffer);
        let { count } = this;
        let lineBytes = this.#lineBytes;
        let isReturned = this.#isReturned;
        let isQuoted = this.#isQuoted;
        let problem: TextProblem | null = null;
        for (let at = 0; at < chunk.length && problem === null; at += 1) {
            let byte = chunk[at] as number;
            if (byte === lineFeed) {
                isReturned = false;
                if (isQuoted) {
                    lineBytes += 1;
                } else {
                    if (lineBytes === 0 && !this.#isMasked && count > 0) {
                        buffer[written++] = quote;
                        buffer[written++] = quote;
                    }
                    count += 1;
                    lineBytes = 0;
                }
                buffer[written++] = byte;
                continue;
            }
            if (byte === quote && !this.#isMasked) isQuoted = !isQuoted;
            if (isReturned) {
                isReturned = false;
                if (!this.#isMasked) problem = 'return';
                lineBytes += 1;
                buffer[written++] = illegalInJson;
            }
            if (byte === carriageReturn) {
                isReturned = true;
            } else {
                if (byte === 0) problem ??= 'nul';
                if (byte === columnSeparator && this.#isMasked) byte = illegalInJson;
                lineBytes += 1;
                buffer[written++] = byte;
            }
            if (lineBytes > limit) problem ??= 'long';
        }
        this.count = count;
        this.#lineBytes = lineBytes;
        this.#isReturned = isReturned;
        this.#isQuoted = isQuoted;
        return { written, problem };
    }

    #refused(problem: TextProblem): RunError {
        const line = this.count + 1;
        if (problem === 'nul') return this.#notText(line, 'a NUL byte');
        if (problem === 'return') return this.#notText(line, 'a carriage return inside a line');
        return new RunError('OBJECT_LINE_TOO_LONG', { ...this.#at, line, limit: this.#limit });
    }

    #openQuote(): RunError {
        return new RunError('CSV_QUOTE_OPEN', { ...this.#at, line: this.count + 1 });
    }

    #notText(line: number, detail: string): RunError {
        return new RunError('OBJECT_NOT_TEXT', { ...this.#at, line, detail });
    }
}

/** How many bytes at the end are a character whose last bytes have not come yet: 0 to 3. */
function unfinishedBytes(buffer: Buffer, end: number): number {
    for (let back = 1; back <= 3 && back <= end; back += 1) {
        const byte = buffer[end - back] as number;
        if (byte < 0x80) return 0;
        if (byte < 0xc0) continue;
        const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        return back < length ? back : 0;
    }
    return 0;
}

/** The lines before the first that is not UTF-8, and where that one begins. */
function soundLines(bytes: Buffer): { lines: number; offset: number } {
    let offset = 0;
    for (let lines = 0; ; lines += 1) {
        const end = bytes.indexOf(lineFeed, offset);
        if (end < 0 || !isUtf8(bytes.subarray(offset, end))) return { lines, offset };
        offset = end + 1;
    }
}
